"""One node that floods, as a program of its own so that it has a processor of its own: it connects, logs on, sends as
fast as it is told, reads all that it gets, answers PING, and says at its end what it got, as a line of JSON.

    flood.py ADDRESS PORT ROOT SERVER NODE NICK KIND TO RATE SECONDS QOS LEAVE"""

import json
import select
import socket
import sys
import time

import codec


def main():
    address, port, root, server, node, nick, kind, to, rate, seconds, qos, leave = sys.argv[1:]
    rate, seconds, qos = float(rate), float(seconds), int(qos)
    creation = int(time.time() * 1000)
    pid, status = f"{node}/{creation}-1", f"{root}/node/{node}"
    inbox = f"{root}/to/{server}/messenger/from/{node}"
    link = socket.create_connection((address, int(port)), 5)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    result = {"sent": 0, "heard": 0, "exit": None}

    def message(*elements, number=1):
        return codec.publish(4, inbox, json.dumps(elements).encode(), qos, False, number)

    link.sendall(codec.connect(4, node, 10, (status, json.dumps(["nodedown", node, creation, "noconnection"]).encode())))
    link.sendall(codec.subscribe(4, 1, [f"{root}/to/{node}/+/from/+"]))
    link.sendall(codec.publish(4, status, json.dumps(["nodeup", node, creation]).encode(), 1, True, 1))
    link.sendall(message(pid, "logon", nick) + message(pid, "join", "flood"))
    what = {"logon": [pid, "logon", nick], "message": [pid, "message_to", to, "flood"],
            "say": [pid, "say", "flood", "flood"], "junk": [pid, "nothing", "that", "is", "known"]}[kind]
    burst = [message(*what, number=n) for n in range(1, 60001)] if qos else [message(*what)] * 60000
    link.setblocking(False)
    buffer, out, begin, kept = bytearray(), b"", time.monotonic(), 0.0
    while (now := time.monotonic()) < begin + seconds + 1:
        due = int(min(now - begin, seconds) * rate) - result["sent"]
        if len(out) < 65536 and due > 0:
            first = result["sent"] % 60000
            chunk = burst[first:first + min(due, 500)]
            out += b"".join(chunk)
            result["sent"] += len(chunk)
        if now > kept + 2:
            out, kept = out + codec.packet(codec.PINGREQ, 0, b""), now
        readable, writable, _ = select.select([link], [link] if out else [], [], 0.005)
        if writable:
            out = out[link.send(out):]
        if readable:
            data = link.recv(1 << 18)
            if not data:
                result["exit"] = "the broker closed the connection"
                break
            buffer += data
            for packet, flags, body in codec.split(buffer):
                if packet != codec.PUBLISH:
                    continue
                topic, payload, level, _, number = codec.read_publish(4, flags, body)
                result["heard"] += 1
                if level:
                    out += codec.puback(number)
                if payload.startswith(b'["PING"'):
                    asker = json.loads(payload)[1]
                    out += codec.publish(4, f"{root}/to/{asker.rpartition('/')[0]}/{asker.rpartition('/')[2]}/from/{node}",
                                         json.dumps(["PONG", node]).encode(), 1, False, 60001)
                elif payload.startswith(b'["EXIT"'):
                    result["exit"] = json.loads(payload)[2]
    link.setblocking(True)
    if leave == "clean" and not result["exit"]:
        link.sendall(out + message("EXIT", pid, "normal") + codec.publish(
            4, status, json.dumps(["nodedown", node, creation, "normal"]).encode(), 1, True, 60002) + codec.disconnect(4))
    link.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
