"""An echo client on Twisted: it says hello to the port that it is given."""
import sys

from twisted.internet import protocol, reactor


class Hello(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"hello, world!")

    def dataReceived(self, data):
        print("Server said:", data.decode())
        self.transport.loseConnection()

    def connectionLost(self, reason):
        print("connection lost")


class Factory(protocol.ClientFactory):
    protocol = Hello

    def clientConnectionFailed(self, connector, reason):
        print("Connection failed - goodbye!")
        reactor.stop()

    def clientConnectionLost(self, connector, reason):
        print("Connection lost - goodbye!")
        reactor.stop()


reactor.connectTCP("127.0.0.1", int(sys.argv[1]), Factory())
reactor.run()
