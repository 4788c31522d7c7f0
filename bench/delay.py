"""A network that is RTT milliseconds wide, in front of a server on this machine:

    bench/delay.py PORT RTT

Prints the port that it listens on. Each direction takes half of RTT. Connecting takes no time on
loopback, so what the client says first waits for one RTT more: as long as SYN and SYN-ACK would take.
"""

import asyncio
import sys

SERVER, RTT = int(sys.argv[1]), float(sys.argv[2]) / 1000


async def carry(reader, writer, first=0.0):
    """Passes on what comes, each piece after its own delay, in order."""
    loop = asyncio.get_running_loop()
    pieces = asyncio.Queue()

    async def deliver():
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not piece:
                writer.close()
                return
            writer.write(piece)

    delivery = asyncio.create_task(deliver())
    while True:
        try:
            piece = await reader.read(65536)
        except ConnectionError:
            piece = b""
        pieces.put_nowait((loop.time() + RTT / 2 + first, piece))
        first = 0.0 if piece else first
        if not piece:
            break
    await delivery


async def connect(reader, writer):
    there_reader, there_writer = await asyncio.open_connection("127.0.0.1", SERVER)
    await asyncio.gather(carry(reader, there_writer, RTT), carry(there_reader, writer))


async def main():
    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
