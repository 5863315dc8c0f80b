// Bytes of code, as assumptions of ours: nobody has published how Poplar's code is put together. An instruction takes
// four bytes. A codelet is taken as 384 B on every tile that has a vertex of it: 14 KB of vertex code a tile, as a
// published profile has it, are then some forty codelets. Receiving or sending a block takes two instructions of the exchange (set the source or the address, then wait
// or send). The control program of a tile takes eight instructions for each superstep: synchronise, exchange, start the
// workers, and where it goes next.
const codeletBytes = 384;
const exchangeBytesPerBlock = 8;
const controlBytesPerSuperstep = 32;

/** Bytes of a tile's vertex code. */
export function vertexCodeBytes(codelets: number): number {
  return codelets * codeletBytes;
}

/** Bytes of a tile's exchange code for a superstep. */
export function exchangeCodeBytes(received: number, sent: number): number {
  return (received + sent) * exchangeBytesPerBlock;
}

/** Bytes of a tile's control program. */
export function controlCodeBytes(supersteps: number): number {
  return supersteps * controlBytesPerSuperstep;
}
