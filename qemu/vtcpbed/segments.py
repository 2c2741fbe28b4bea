# SPDX-License-Identifier: Apache-2.0
"""A judge of captured TCP segments: whether either end of any connection was ever given one that no peer may send."""

import collections
import socket
import struct

_ETHERNET = 14
FIN, SYN, RST, ACK = 1, 2, 4, 16
Segment = collections.namedtuple(
    "Segment", "source destination number acknowledgment flags window octets scale timestamps blocks is_whole"
)


def folded_sum(octets):
    """The Internet checksum (RFC 1071), not complemented."""
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


# What a capture file counts beside seconds, by how it begins.
_UNITS = {0xA1B2C3D4: 1e-6, 0xA1B23C4D: 1e-9}


def timed_packets(path):
    """The Ethernet frames of a capture file of this machine's byte order, each with its time in seconds; each must be whole."""
    with open(path, "rb") as file:
        header = file.read(24)
        unit = _UNITS.get(struct.unpack("=I", header[:4])[0]) if len(header) == 24 else None
        if unit is None:
            raise ValueError(f"{path} is no capture")
        while len(record := file.read(16)) == 16:
            seconds, parts, captured, length = struct.unpack("=IIII", record)
            if captured != length:
                raise ValueError(f"{path} has frames that are cut off")
            yield seconds + parts * unit, file.read(captured)


def _options(octets):
    """The window's shift, the timestamps and the SACK blocks."""
    scale, timestamps, blocks = None, None, []
    while octets and octets[0] != 0:
        if octets[0] == 1:
            octets = octets[1:]
            continue
        kind, length = octets[0], octets[1]
        value, octets = octets[2:length], octets[length:]
        if kind == 3:
            scale = min(value[0], 14)
        elif kind == 8:
            timestamps = struct.unpack("!II", value)
        elif kind == 5:
            edges = struct.unpack(f"!{len(value) // 4}I", value)
            blocks = list(zip(edges[::2], edges[1::2]))
    return scale, timestamps, blocks


def segment_of(frame):
    """The TCP segment of a frame, or None."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and frame[_ETHERNET + 9] == socket.IPPROTO_TCP:
        packet = frame[_ETHERNET : _ETHERNET + struct.unpack("!H", frame[16:18])[0]]
        begin = (packet[0] & 15) * 4
        addresses = (packet[12:16], packet[16:20])
        is_whole = folded_sum(packet[:begin]) == 0xFFFF
    elif kind == b"\x86\xdd" and frame[_ETHERNET + 6] == socket.IPPROTO_TCP:
        begin = 40
        packet = frame[_ETHERNET : _ETHERNET + 40 + struct.unpack("!H", frame[18:20])[0]]
        addresses = (packet[8:24], packet[24:40])
        is_whole = True
    else:
        return None
    tcp = packet[begin:]
    pseudo = b"".join(addresses) + struct.pack("!II", len(tcp), socket.IPPROTO_TCP)
    is_whole = is_whole and folded_sum(pseudo + tcp) == 0xFFFF
    source, destination, number, acknowledgment, offset, flags, window = struct.unpack("!HHIIBBH", tcp[:16])
    scale, timestamps, blocks = _options(tcp[20 : (offset >> 4) * 4])
    octets = tcp[(offset >> 4) * 4 :]
    ends = ((addresses[0], source), (addresses[1], destination))
    return Segment(*ends, number, acknowledgment, flags, window, octets, scale, timestamps, blocks, is_whole)


class _End:
    """What one end of a connection has sent, in places counted from its SYN."""

    def __init__(self, segment):
        self.first = segment.number
        self.stream = bytearray()
        self.known = bytearray()
        # The end of what was sent; the highest acknowledgment and window's edge that were given; the newest time.
        self.sent = 1
        self.acknowledged = self.edge = 0
        self.scale = segment.scale
        self.time = segment.timestamps[0] if segment.timestamps else None
        self.fin = None

    def place(self, number):
        """Of a sequence number, that is near the end of what was sent."""
        return self.sent + ((number - self.first - self.sent + (1 << 31)) % (1 << 32) - (1 << 31))

    def put(self, place, octets):
        """Notes octets; false if others were sent there before."""
        begin, end = place - 1, place - 1 + len(octets)
        if len(self.stream) < end:
            self.known.extend(bytes(end - len(self.known)))
            self.stream.extend(bytes(end - len(self.stream)))
        if any(self.known[begin:end]):
            for at, octet in enumerate(octets, begin):
                if self.known[at] and self.stream[at] != octet:
                    return False
        self.stream[begin:end] = octets
        self.known[begin:end] = b"\1" * len(octets)
        return True


class Judge:
    """Reads a capture that was made at the device of one of the two ends. `findings`: {sentence: number}; `examples`: the first of each.

    `has_checksums`: checksums are complete in it, as they are on a wire. `keeps_order`: so does the way of the segments.
    """

    def __init__(self, path, has_checksums=False, keeps_order=True):
        self.findings = collections.Counter()
        self.examples = {}
        self.segments = self.connections = 0
        # Segments that end beyond the window, but by less than a unit of its scale: the receiver drops them, and they are sent again.
        self.slightly_beyond = 0
        self._keeps_order = keeps_order
        self._ends = {}
        for place, (_, frame) in enumerate(timed_packets(path), 1):
            segment = segment_of(frame)
            if segment is None:
                continue
            self.segments += 1
            self._frame, self._now = place, segment
            if has_checksums and not segment.is_whole:
                self._find("a wrong checksum")
            else:
                self._take(segment)

    def _find(self, sentence):
        self.findings[sentence] += 1
        now = self._now
        self.examples.setdefault(sentence, f"frame {self._frame}, ports {now.source[1]} and {now.destination[1]}")

    def _take(self, segment):
        way = (segment.source, segment.destination)
        own = self._ends.get(way)
        if segment.flags & SYN:
            if own is None or own.first != segment.number:
                if not segment.flags & ACK:
                    self.connections += 1
                    # What still comes from there is of the connection before, with the same ports.
                    self._ends.pop(way[::-1], None)
                own = self._ends[way] = _End(segment)
        other = self._ends.get(way[::-1])
        if own is None:
            return
        if segment.flags & RST:
            # What is still on its way finds nobody.
            self._ends.pop(way)
            self._ends.pop(way[::-1], None)
            return
        self._take_time(own, other, segment)
        if not segment.flags & SYN:
            self._take_data(own, other, segment)
        if other is not None and segment.flags & ACK:
            self._take_acknowledgment(own, other, segment)

    def _take_data(self, own, other, segment):
        begin = own.place(segment.number)
        end = begin + len(segment.octets)
        if segment.octets and not own.put(begin, segment.octets):
            self._find("other octets than before")
        if segment.flags & FIN:
            if own.fin not in (None, end):
                self._find("another FIN")
            own.fin = end
        if own.fin is not None and segment.octets and end > own.fin:
            self._find("data behind the FIN")
        end += bool(segment.flags & FIN)
        # One octet beyond is a question (RFC 9293 §3.8.6.1), and so is what begins where the other end has nothing yet.
        is_question = len(segment.octets) <= 1 or other is not None and begin <= other.acknowledged
        if other is not None and other.edge and end > other.edge and not (is_question and begin <= other.edge):
            # The module tells windows in units of their scale, rounded up. What it does not hold itself may so come up to a unit too far.
            if end < other.edge + (1 << (other.scale or 0)):
                self.slightly_beyond += 1
            else:
                self._find("data beyond the window" if segment.octets else "a number beyond the window")
        own.sent = max(own.sent, end)

    def _take_time(self, own, other, segment):
        if segment.timestamps and own.time is not None:
            moved = (segment.timestamps[0] - own.time + (1 << 31)) % (1 << 32) - (1 << 31)
            if moved < 0 and self._keeps_order:
                self._find("an older time than before")
            own.time = segment.timestamps[0] if moved > 0 else own.time
        elif own.time is not None and other is not None and other.time is not None and not segment.timestamps:
            self._find("no timestamps")

    def _take_acknowledgment(self, own, other, segment):
        number = other.place(segment.acknowledgment)
        if number > other.sent:
            return self._find("an acknowledgment of what was not sent")
        if number < own.acknowledged and self._keeps_order and not segment.octets:
            self._find("an acknowledgment that goes back")
        own.acknowledged = max(own.acknowledged, number)
        is_scaled = own.scale is not None and other.scale is not None and not segment.flags & SYN
        own.edge = max(own.edge, number + (segment.window << (own.scale if is_scaled else 0)))
        for left, right in segment.blocks:
            if other.place(right) > other.sent:
                self._find("a SACK block of what was not sent")
        if segment.timestamps and other.time is not None and not segment.flags & SYN:
            if (other.time - segment.timestamps[1]) % (1 << 32) >= 1 << 31:
                self._find("an echo of a time that was not yet")
        return None
