"""An echo server on Twisted. It prints its port, and ends with its first client."""
from twisted.internet import protocol, reactor


class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)

    def connectionLost(self, reason):
        reactor.stop()


class Factory(protocol.ServerFactory):
    protocol = Echo


port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
