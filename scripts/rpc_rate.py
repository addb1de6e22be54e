#!/usr/bin/env python3
"""Counts what a process asks of a chain: passes its WebSocket on, and counts the calls in it. Used by rpc_rate.sh.

    rpc_rate.py PORT CHAIN_PORT           counts go to standard output, a line of JSON for each line of standard input
"""

import asyncio
import collections
import json
import sys

calls = collections.Counter()


async def frames(reader):
    """(opcode, whether it is the last part, payload, raw bytes) of each frame of a client, which masks them."""
    while True:
        head = await reader.readexactly(2)
        raw = bytearray(head)
        length = head[1] & 0x7F
        if length >= 126:
            more = await reader.readexactly(2 if length == 126 else 8)
            raw += more
            length = int.from_bytes(more, "big")
        mask = await reader.readexactly(4) if head[1] & 0x80 else b""
        body = await reader.readexactly(length)
        raw += mask + body
        if mask:
            body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(body))
        yield head[0] & 0x0F, bool(head[0] & 0x80), body, bytes(raw)


def count(text):
    asked = json.loads(text)
    for one in asked if isinstance(asked, list) else [asked]:
        calls[one["method"]] += 1


async def up(reader, writer):
    """From the process to the chain."""
    writer.write(await reader.readuntil(b"\r\n\r\n"))
    message = b""
    async for opcode, last, body, raw in frames(reader):
        writer.write(raw)
        await writer.drain()
        if opcode in (0, 1):
            message += body
            if last:
                count(message)
                message = b""


async def down(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


async def serve(chain_port):
    async def passed_on(reader, writer):
        theirs, ours = await asyncio.open_connection("127.0.0.1", chain_port)
        try:
            ways = [asyncio.ensure_future(up(reader, ours)), asyncio.ensure_future(down(theirs, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            ours.close()
            writer.close()

    return passed_on


async def main(port, chain_port):
    server = await asyncio.start_server(await serve(chain_port), "127.0.0.1", port)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with server:
        while await lines.readline():
            print(json.dumps(calls), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
