"""One MQTT connection of the harness's own, as an asyncio protocol: it connects with a will, subscribes, acknowledges,
keeps alive, and ends in every way that a connection can end."""

import asyncio
import socket
import struct

import codec


class connection(asyncio.Protocol):
    """Tells its owner on_up, on_publish(topic, payload, retain) and on_lost, each with the connection first."""

    def __init__(self, owner, version, client_id, keepalive, will, filters):
        self.owner, self.version, self.client_id, self.keepalive = owner, version, client_id, keepalive
        self.will, self.filters = will, filters
        self.up = self.closed = self.frozen = False
        self.buffer, self.packet_id, self.transport, self.last_sent = bytearray(), 1, None, 0.0

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.closed:
            transport.abort()
            return
        self.send(codec.connect(self.version, self.client_id, self.keepalive, self.will))

    def data_received(self, data):
        self.buffer += data
        for kind, flags, body in codec.split(self.buffer):
            if self.closed:
                return
            if kind == codec.CONNACK:
                if body[1]:
                    return self.abort()
                self.send(codec.subscribe(self.version, 1, self.filters))
            elif kind == codec.SUBACK:
                self.up = True
                self.owner.on_up(self)
            elif kind == codec.PUBLISH:
                topic, payload, qos, retain, packet_id = codec.read_publish(self.version, flags, body)
                if qos:
                    self.send(codec.puback(packet_id))
                self.owner.on_publish(self, topic, payload, retain)

    def connection_lost(self, reason):
        was_closed, self.closed, self.up = self.closed, True, False
        if not was_closed:
            self.owner.on_lost(self)

    def send(self, data):
        if not self.closed and not self.frozen and self.transport and not self.transport.is_closing():
            self.last_sent = asyncio.get_running_loop().time()
            self.transport.write(data)

    def publish(self, topic, payload, qos=1, retain=False, expires=0):
        self.packet_id = self.packet_id % 60000 + 1
        self.send(codec.publish(self.version, topic, payload, qos, retain, self.packet_id, expires))

    def keep_alive(self, now):
        if now - self.last_sent > self.keepalive / 3:
            self.send(codec.packet(codec.PINGREQ, 0, b""))

    def freeze(self):
        """Like SIGSTOP: nothing is read, nothing is sent, the socket stays."""
        self.frozen = True
        if self.transport:
            self.transport.pause_reading()

    def thaw(self):
        self.frozen = False
        if self.transport and not self.closed:
            self.transport.resume_reading()

    def abort(self):
        """The socket closes at once, as when its program is killed."""
        if not self.closed:
            if self.transport:
                self.transport.abort()
            self.connection_lost(None)

    def reset(self):
        """RST: what the peer had not read is lost."""
        if self.transport and not self.closed:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                               struct.pack("ii", 1, 0))
        self.abort()

    def finish(self, *packets):
        """Some last packets, then the end of the socket, in order."""
        for each in packets:
            self.send(each)
        if not self.closed:
            self.closed, self.up = True, False
            self.transport.close() if self.transport else None
            self.owner.on_lost(self)
