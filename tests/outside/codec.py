"""MQTT 3.1.1 and 5 as bytes: small, and able to say what libraries refuse to say."""

import struct

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14
ONE_DAY = 86400


def varint(number):
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("!H", len(data)) + data


def packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def expiry(version, seconds):
    """The properties of a PUBLISH or a will: a message expiry, or none."""
    if version < 5:
        return b""
    return b"\x05\x02" + struct.pack("!I", seconds) if seconds else b"\x00"


def connect(version, client_id, keepalive, will=None):
    """Clean start, session expiry 0; will = (topic, payload), QoS 1, retained, without delay."""
    flags = 0x02 | (0x04 | 0x08 | 0x20 if will else 0)
    body = text("MQTT") + bytes([version, flags]) + struct.pack("!H", keepalive)
    body += (b"\x00" if version >= 5 else b"") + text(client_id)
    if will:
        body += expiry(version, ONE_DAY) + text(will[0]) + text(will[1])
    return packet(CONNECT, 0, body)


def subscribe(version, packet_id, filters):
    """QoS 1, with MQTT 5 also "retain as published"."""
    options = b"\x09" if version >= 5 else b"\x01"
    body = struct.pack("!H", packet_id) + (b"\x00" if version >= 5 else b"")
    return packet(SUBSCRIBE, 2, body + b"".join(text(f) + options for f in filters))


def publish(version, topic, payload, qos=1, retain=False, packet_id=1, expires=0):
    body = text(topic) + (struct.pack("!H", packet_id) if qos else b"") + expiry(version, expires)
    return packet(PUBLISH, qos << 1 | retain, body + payload)


def puback(packet_id):
    return packet(PUBACK, 0, struct.pack("!H", packet_id))


def disconnect(version, reason=0):
    return packet(DISCONNECT, 0, bytes([reason]) if version >= 5 and reason else b"")


def split(buffer):
    """Takes whole packets off the front of a bytearray: a list of (kind, flags, body)."""
    packets, at, end = [], 0, len(buffer)
    while end - at >= 2:
        length, shift, head = 0, 0, at + 1
        while head < end:
            digit = buffer[head]
            length |= (digit & 0x7F) << shift
            shift += 7
            head += 1
            if not digit & 0x80:
                break
        else:
            break
        if head + length > end:
            break
        packets.append((buffer[at] >> 4, buffer[at] & 15, bytes(buffer[head:head + length])))
        at = head + length
    del buffer[:at]
    return packets


def read_publish(version, flags, body):
    """The topic, payload, QoS, retain flag and packet id of a PUBLISH."""
    size = struct.unpack_from("!H", body)[0]
    topic, at, packet_id = body[2:2 + size].decode(), 2 + size, 0
    qos = flags >> 1 & 3
    if qos:
        packet_id = struct.unpack_from("!H", body, at)[0]
        at += 2
    if version >= 5:
        length, shift = 0, 0
        while True:
            digit = body[at]
            length |= (digit & 0x7F) << shift
            shift += 7
            at += 1
            if not digit & 0x80:
                break
        at += length
    return topic, body[at:], qos, bool(flags & 1), packet_id
