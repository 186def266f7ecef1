"""Makes the same calls to two servers with redis-py, compares what comes of
them, and stops both: python3 redispy.py ADDRESS ADDRESS, each host:port or a
socket's path. Prints what differs, which commands of the first server were not
called, and how many calls there were."""

import re
import socket
import sys

import redis

# Each line is a call; r is the client. What it returns or raises is compared,
# but where functions below leave out what tells of the server or of time.
CALLS = """
r.flushall()
r.ping()
r.echo("hi")
r.execute_command("PING", "x")
r.set("s", "hello")
r.set("s", "v", ex=100, nx=True)
r.set("s", "v", px=100000, xx=True, get=True)
r.set("s", "v", exat=99999999999)
r.set("s", "v", pxat=99999999999001)
r.execute_command("PEXPIRETIME", "s")
r.set("s", "v", exat=99999999999)
r.execute_command("EXPIRETIME", "s")
r.execute_command("PEXPIRETIME", "s")
r.set("s", "v", pxat=99999999999000)
r.set("s", "w", keepttl=True)
r.execute_command("SET", "s", "v", "NX", "XX")
r.set("s", "v", ex=0)
r.get("s")
r.get("none")
r.getex("s", persist=True)
r.ttl("s")
r.getex("s", ex=50)
40 < r.ttl("s") <= 50
r.getex("s", px=50500)
40000 < r.pttl("s") <= 50500
r.getex("s", exat=99999999999)
r.execute_command("EXPIRETIME", "s")
r.getex("s", pxat=99999999999001)
r.execute_command("PEXPIRETIME", "s")
r.getex("s", persist=True)
r.ttl("s")
r.getex("s")
r.getdel("s")
r.getset("s", "new")
r.getset("fresh", "new")
r.setnx("s", "x")
r.setnx("unset", "x")
r.setex("e", 100, "v")
r.psetex("e", 100000, "v")
r.setex("e", -1, "v")
r.append("s", "!")
r.strlen("s")
r.getrange("s", 1, -1)
r.substr("s", 0, 1)
r.setrange("s", 8, "pad")
r.setrange("s", -1, "pad")
r.incr("n")
r.incrby("n", 41)
r.incrby("s", 1)
r.execute_command("DECR", "n")
r.decrby("n", 2)
r.incrbyfloat("n", 0.1)
r.incr("n")
r.mset({"a": "ohmytext", "b": "mynewtext"})
r.msetnx({"a": 1, "z": 2})
r.mget("a", "none", "b")
r.execute_command("MSET", "a")
r.execute_command("LCS", "a", "b")
r.execute_command("LCS", "a", "b", "LEN")
r.execute_command("LCS", "a", "b", "IDX", "MINMATCHLEN", 4, "WITHMATCHLEN")
r.setbit("bits", 7, 1)
r.getbit("bits", 7)
r.getbit("bits", -1)
r.bitcount("bits")
r.bitcount("bits", 0, -1, "BIT")
r.bitcount("bits", 0, 5, "BIT")
r.bitcount("a", 1, -2, "BYTE")
r.bitcount("a", 1, -2)
r.bitpos("bits", 1)
r.bitpos("bits", 0, 0, -1)
r.execute_command("BITPOS", "a", 1, 9, -9, "BIT")
r.execute_command("BITPOS", "a", 0, 1, -1, "BYTE")
r.bitop("NOT", "dst", "bits")
r.bitop("AND", "dst", "bits", "a")
r.bitop("OR", "dst", "bits", "a")
r.get("dst")
r.bitop("XOR", "dst", "dst", "b")
r.get("dst")
r.bitop("NOT", "dst", "bits", "a")
r.bitfield("bits").set("u8", "#1", 255).get("i4", 0).overflow("FAIL").incrby("u8", "#1", 1).execute()
r.bitfield("bits").overflow("SAT").incrby("u8", "#1", 9).incrby("i8", 0, -999).execute()
r.bitfield("bits").overflow("WRAP").incrby("u8", "#1", 9).incrby("i8", 0, -999).execute()
r.execute_command("BITFIELD", "bits", "GET", "u64", 0)
r.execute_command("BITFIELD_RO", "bits", "GET", "u8", 0)
r.exists("a", "a", "none")
r.touch("a", "none")
r.type("a")
r.expire("a", 100)
r.expire("a", 50, gt=True)
r.expire("a", 50, lt=True)
r.expire("a", 50, nx=True, xx=True)
r.expire("a", 50, nx=True)
r.expire("b", 50, nx=True)
r.persist("b")
r.pexpire("a", 200000, xx=True)
r.pttl("none")
r.expireat("a", 99999999999)
r.pexpireat("a", 99999999999000)
r.ttl("a") > 10**9, r.pttl("a") > 10**12
r.persist("a")
r.persist("a")
r.pexpire("a", 2**62)
r.expire("a", 2**62)
r.persist("a")
r.copy("a", "c")
r.copy("a", "c")
r.copy("a", "c", replace=True)
r.copy("a", "c", destination_db=4)
r.copy("a", "a")
r.move("c", 4)
r.move("c", 5)
r.rename("none", "x")
r.rename("a", "a2")
r.renamenx("a2", "b")
r.renamenx("a2", "a")
sorted(r.keys("[ab]*"))
sorted(r.scan_iter(match="*", count=3))
sorted(r.scan_iter(_type="string"))
r.scan("x")
r.randomkey() in r.keys()
r.object("ENCODING", "n")
r.object("REFCOUNT", "a")
r.object("FREQ", "a")
r.object("IDLETIME", "b") < 60
r.object("IDLETIME", "none")
r.object("ENCODING", "none")
r.swapdb(0, 4)
r.keys()
r.swapdb(0, 4)
r.swapdb(0, 99)
r.unlink("dst", "none")
r.delete("e", "e")
r.hset("h", mapping={"f": "v", "g": "w"})
r.hset("h", "f", "x")
r.execute_command("HSET", "h", "f")
r.hget("h", "f")
r.hget("h", "none")
r.hlen("h")
r.hgetall("h")
r.hdel("h", "g", "none")
r.rpush("l", "a", "b", "c", "d")
r.lpush("l", "z")
r.linsert("l", "before", "b", "x")
r.linsert("l", "after", "none", "x")
r.lrange("l", 0, -1)
r.lindex("l", -1)
r.lindex("l", 99)
r.llen("l")
r.lpop("l")
r.lpop("l", 2)
r.rpop("l")
r.rpop("l", 1)
r.lpop("none")
r.lpop("none", 2)
r.rpush("l", "a", "b", "c")
r.ltrim("l", 0, 1)
r.blpop(["none", "l"], 1)
r.blpop("none", 0.01)
r.blpop("none", -1)
r.lpush("h", "v")
r.sadd("set", "a", "b", "c")
r.sadd("set", "a")
r.srem("set", "c", "none")
r.sismember("set", "a")
r.scard("set")
r.smembers("set")
r.sadd("set2", "b", "d")
r.sinter("set", "set2")
r.spop("set2", 0)
set(r.spop("set", 5))
r.spop("none")
r.zadd("z", {"a": 1, "b": 2.5, "c": float("inf")})
r.zadd("z", {"a": 2, "d": 0.1}, ch=True)
r.zadd("z", {"a": 0}, gt=True)
r.zadd("z", {"q": 0}, xx=True)
r.zadd("z", {"a": 5}, nx=True)
r.zadd("z", {"a": "x"})
r.zscore("z", "b")
r.zscore("z", "none")
r.zrank("z", "b")
r.zrank("z", "none")
r.zcard("z")
r.zrange("z", 0, -1)
r.zrange("z", 0, -1, withscores=True)
r.zrem("z", "a", "none")
r.xadd("x", {"f": "v", "g": "w"}, id="5-1")
r.xadd("x", {"f": "v"}, id="5-*")
r.xadd("x", {"f": "v"}, id="5-1")
r.xadd("x", {"f": "v"}, id="0-0")
r.xadd("x", {"f": "v"}, id="abc")
r.xlen("x")
r.xrange("x")
r.xrange("x", "(5-1", "+", count=1)
r.xdel("x", "5-1", "9-9")
shape(r.xadd("now", {"f": "v"}))
r.delete("now")
r.execute_command("DEBUG", "DIGEST")
r.execute_command("DEBUG", "DIGEST-VALUE", "s", "h", "l", "set2", "z", "x", "none")
r.execute_command("DEBUG", "RELOAD")
r.execute_command("DEBUG", "DIGEST")
r.dbsize()
r.select(3)
r.dbsize()
r.set("x", 1)
r.flushdb()
r.execute_command("FLUSHDB", "SYNC")
r.execute_command("FLUSHDB", "SOON")
r.select(99)
r.select(0)
r.flushdb(asynchronous=True)
r.dbsize()
r.set("x", 1)
r.execute_command("FLUSHALL", "SYNC")
r.dbsize()
r.set("x", 1)
r.flushall(asynchronous=True)
r.dbsize()
r.pipeline(transaction=False).set("p", 1).incr("p").get("p").lpush("p", 1).execute(raise_on_error=False)
r.execute_command("NOSUCH", "a", "b")
r.execute_command("GET")
r.execute_command("HELLO", "9")
own(listed(r.execute_command("HELLO", "2")), "id")
r.hset("h", "f", "v")
raw(r, ("HELLO", "3"), ("HGETALL", "h"), ("GET", "none"), ("CONFIG", "GET", "maxclients"), ("HELLO", "2"), ("HGETALL", "h"))
raw(r, ("HELLO", "3", "SETNAME", "worker"), ("CLIENT", "GETNAME"), ("CLIENT", "INFO", "x"))
r.execute_command("AUTH", "x")
r.config_set("requirepass", "secret")
r.execute_command("AUTH", "x")
r.execute_command("AUTH", "secret")
r.execute_command("AUTH", "default", "secret")
r.execute_command("AUTH", "nobody", "secret")
other(r).ping()
other(r, password="wrong").ping()
other(r, password="secret").ping()
raw(r, ("HELLO", "3"), ("AUTH", "secret"), ("HELLO", "3"))
raw(r, ("HELLO", "3", "AUTH", "default", "secret"), ("PING",))
r.config_set("requirepass", "")
other(r).ping()
r.client_setname("worker")
r.client_getname()
r.client_setname("a b")
shape(r.client_id())
own(r.client_info(), *CLIENT)
[own(client, *CLIENT) for client in r.client_list()[:1]]
r.client_no_evict("ON")
own(r.client_info(), *CLIENT)
r.client_no_evict("OFF")
r.client_kill("1.2.3.4:5")
r.client_kill_filter(_id=12345678)
[(r.client_kill_filter(_id=c.client_id()), gone(c)) for c in [other(r)]]
r.execute_command("CLIENT", "REPLY", "FOO")
r.execute_command("CLIENT", "REPLY", "ON")
said(r, ("CLIENT", "REPLY", "SKIP"), ("SET", "muted", "1"), ("GET", "muted"))
said(r, ("CLIENT", "REPLY", "OFF"), ("INCR", "muted"), ("NOSUCH",), ("CLIENT", "REPLY", "SKIP"), ("CLIENT", "REPLY", "ON"))
r.get("muted")
r.execute_command("CLIENT", "FOO")
r.execute_command("CLIENT")
shape(r.command_count())
r.command_getkeys("MSET", "a", 1, "b", 2)
r.execute_command("COMMAND GETKEYSANDFLAGS", "MSET", "a", 1, "b", 2)
r.execute_command("COMMAND INFO", "nosuch")
r.execute_command("COMMAND INFO", "get", "nosuch", "set")
described(r.command())
shared(r.execute_command("COMMAND LIST"))
shared(r.execute_command("COMMAND LIST", "FILTERBY", "ACLCAT", "string"))
shared(r.execute_command("COMMAND LIST", "FILTERBY", "PATTERN", "*get*"))
documented(r.execute_command("COMMAND DOCS"))
r.config_get("maxclients")
r.config_set("slowlog-max-len", 64)
r.config_get("slowlog-max-len")
r.config_set("slowlog-max-len", 128)
r.config_set("nosuchparameter", 1)
r.config_resetstat()
r.execute_command("CONFIG", "REWRITE")
[r.execute_command(name + " HELP")[0] for name in ("CLIENT", "COMMAND", "CONFIG", "DEBUG", "MEMORY", "OBJECT", "SLOWLOG")]
shape(r.info(), known=FIELDS)
shape(r.info("keyspace"))
shape(r.info("commandstats"))
r.info("errorstats")
shape(r.time())
shape(r.lastsave())
shape(r.memory_usage("p"))
r.memory_usage("none")
r.config_set("slowlog-log-slower-than", 0)
r.slowlog_reset()
r.get("s")
r.slowlog_len()
slow(r.slowlog_get())
slow(r.slowlog_get(1))
r.config_set("slowlog-log-slower-than", 10000)
r.slowlog_get("x")
r.execute_command("DEBUG", "SLEEP", "0")
r.execute_command("DEBUG", "POPULATE", 5, "many", 3)
r.mget("many:1", "many:4", "many:5")
[r.debug_object("many:1")[k] for k in ("type", "refcount", "encoding")]
r.execute_command("DEBUG", "OBJECT", "none")
raw(r, ("HELLO", "3"), *(("DEBUG", "PROTOCOL", kind) for kind in KINDS))
raw(r, *(("DEBUG", "PROTOCOL", kind) for kind in KINDS))
r.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
r.psetex("brief", 1, "x")
r.execute_command("DEBUG", "SLEEP", "0.01")
r.get("brief")
r.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "1")
shape(r.execute_command("DEBUG", "HTSTATS", "0"))
r.execute_command("DEBUG", "HTSTATS", "99")
r.execute_command("DEBUG", "NOSUCH")
r.save()
r.bgsave()
r.execute_command("BGSAVE", "NOW")
r.execute_command("RESET")
r.execute_command("SHUTDOWN", "ABORT")
r.execute_command("SHUTDOWN", "SAVE", "NOSAVE")
r.execute_command("QUIT")
other(r).shutdown(nosave=True)
""".strip().splitlines()


def connect(address):
    """Connects to a server, without a pool: the calls need one connection."""
    if ":" in address:
        host, port = address.rsplit(":", 1)
        return redis.Redis(host=host, port=int(port), single_connection_client=True)
    return redis.Redis(unix_socket_path=address, single_connection_client=True)


# What tells of the connection or of time in a line of CLIENT LIST.
CLIENT = (
    "id addr laddr fd age idle qbuf qbuf-free argv-mem multi-mem rbs rbp obl oll omem tot-mem".split()
)

# The types that DEBUG PROTOCOL knows, and one that it does not.
KINDS = "string integer double bignum null array set map attrib push verbatim true false none".split()

BOTH = set()  # the names of the commands that both servers have
FIELDS = set()  # those of the fields of INFO
CALLED = set()  # the names of commands that were sent
OURS = {"brock.backup"}  # commands that no Redis has


def shape(value, known=None):
    """Returns the form of a value: its type, and that of all that is in it. Of a
    dictionary it keeps the keys, those in known if that is given."""
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(shape, value)]
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items() if known is None or k in known}
    return type(value).__name__


def own(value, *hidden):
    """Returns a dictionary with no more than the form of what is hidden."""
    return {k: shape(v) if k in hidden else v for k, v in value.items()}


def slow(entries):
    """Returns what a slow log tells, with its numbers counted from the latest."""
    return [
        own(entry, "start_time", "duration", "client_address") | {"id": entry["id"] - entries[0]["id"]}
        for entry in entries
    ]


def listed(value):
    """Returns what a list of names and values says as a dictionary."""
    return {k.decode(): v for k, v in zip(value[::2], value[1::2])}


def shared(names):
    """Returns those of some names that both servers have."""
    return sorted(name.decode() for name in names if name.decode() in BOTH)


def described(commands):
    """Returns what COMMAND says of the commands that both servers have."""
    out = {}
    for name, command in commands.items():
        if name in BOTH:
            subs = [sub for sub in command["subcommands"] if sub[0].decode() in BOTH]
            out[name] = command | {"subcommands": sorted(subs)}
    return out


def documented(docs):
    """Returns what COMMAND DOCS says of the commands that both servers have, but
    what each says in words of its own."""
    out = {}
    for name, doc in listed(docs).items():
        if name in BOTH:
            out[name] = {k: v for k, v in listed(doc).items() if k not in ("summary", "complexity")}
            if "subcommands" in out[name]:
                out[name]["subcommands"] = documented(out[name]["subcommands"])
    return out


def said(client, *requests):
    """Sends requests, and returns the first reply."""
    for request in requests:
        client.connection.send_command(*request)
    return client.connection.read_response()


def raw(client, *requests):
    """Sends requests on a connection of their own, and returns the bytes of all
    replies but for the numbers of clients."""
    address = client.connection_pool.connection_kwargs
    if "path" in address:
        conn = socket.socket(socket.AF_UNIX)
        conn.connect(address["path"])
    else:
        conn = socket.create_connection((address["host"], address["port"]))
    with conn:
        for request in requests + (("QUIT",),):
            conn.sendall(b"".join(client.connection.pack_command(*request)))
        replies = b"".join(iter(lambda: conn.recv(4096), b""))
    return re.sub(rb"(\$2\r\nid\r\n:)\d+", rb"\1", replies)


def other(client, **options):
    """Connects to a client's server once more."""
    address = client.connection_pool.connection_kwargs
    options |= {"unix_socket_path": address["path"]} if "path" in address else {"host": address["host"], "port": address["port"]}
    return redis.Redis(single_connection_client=True, **options)


def gone(client):
    """Waits until a client's connection is closed."""
    try:
        while client.ping():
            pass
    except redis.ConnectionError:
        return True


def note(pack):
    """Returns what packs a command, and notes its name."""

    def noting(self, *args):
        words = [w.lower() if isinstance(w, str) else "" for w in " ".join(map(str, args[:2])).split()]
        CALLED.update((words[0], "|".join(words[:2])))
        return pack(self, *args)

    return noting


def outcome(client, call):
    """Makes a call and returns what comes of it."""
    try:
        value = eval(call, globals() | {"r": client})
    except redis.RedisError as error:
        return type(error).__name__, str(error)
    if isinstance(value, list):
        value = [(type(v).__name__, str(v)) if isinstance(v, Exception) else v for v in value]
    return value


def names(client):
    """Returns the names of a server's commands, and of the fields of its INFO."""
    return {name.decode() for name in client.execute_command("COMMAND LIST")}, set(client.info())


def difference(got, want):
    """Returns what differs of two results."""
    if not (isinstance(got, dict) and isinstance(want, dict)):
        return [(got, want)]
    keys = sorted(got.keys() | want.keys())
    return [(k, *d) for k in keys if got.get(k) != want.get(k) for d in difference(got.get(k), want.get(k))]


def main():
    """Compares the two servers."""
    ours, theirs = (connect(address) for address in sys.argv[1:3])
    (commands, fields), (other_commands, other_fields) = names(ours), names(theirs)
    BOTH.update(commands & other_commands)
    FIELDS.update(fields & other_fields)
    if commands - other_commands != OURS:
        print("commands that Redis does not have:", commands - other_commands)
    redis.Connection.pack_command = note(redis.Connection.pack_command)
    for call in CALLS:
        got, want = outcome(ours, call), outcome(theirs, call)
        if got != want:
            print(call)
            for *where, ours_is, theirs_is in difference(got, want):
                print(f"  {where} got {ours_is!r}, want {theirs_is!r}")
    for name in sorted(commands - CALLED - OURS):
        print("not called:", name)
    print(len(CALLS), "calls")


if __name__ == "__main__":
    main()
