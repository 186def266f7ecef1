"""Changes a server's data from several connections until it is gone, with
redis-py: python3 load.py HOST:PORT ROUND. Prints what was acknowledged.

What a writer changes in step n tells n, in the same order in each step: what a
crash has left of a writer must be a beginning of its requests."""

import sys
import threading

import redis

WRITERS = 4
DEPTH = 8  # steps in a pipeline
PAD = 16000  # most bytes that fill a value up
LOCK = threading.Lock()


def write(host, port, writer, name):
    """Makes steps until the server is gone."""
    client = redis.Redis(host=host, port=port, single_connection_client=True)
    step = 0
    while True:
        pipe = client.pipeline(transaction=False)
        for n in range(step + 1, step + DEPTH + 1):
            pad = "x" * (n * 37 % PAD)
            pipe.set(f"last:{name}", f"{n}:{pad}")
            pipe.incr(f"total:{name}")
            pipe.lpush(f"list:{name}", n)
            pipe.mset({f"left:{name}": n, f"right:{name}": f"{n}:{pad}"})
            pipe.hset(f"hash:{name}", mapping={"f": n, "g": f"{n}:{pad}"})
        replies = pipe.execute()
        step += DEPTH
        assert replies[-4] == step, replies[-4]
        with LOCK:
            print("ack", writer, step, flush=True)


def run(host, port, writer, name):
    """Runs a writer; that the server is gone is no error."""
    try:
        write(host, port, writer, name)
    except redis.ConnectionError:
        pass


def main():
    """Runs the writers."""
    host, port = sys.argv[1].rsplit(":", 1)
    threads = [
        threading.Thread(target=run, args=(host, int(port), writer, f"{sys.argv[2]}:{writer}"))
        for writer in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
