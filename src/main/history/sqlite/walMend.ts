// Mends SQLite's write-ahead log, pure. SQLite ends the log at the first frame whose checksum does not fit, and with it all
// that was committed behind. The checksum is linear, so most single flipped bits can be found and turned back; where not, the
// frames behind are made to be read again, and the cipher tells which page is not what was written.
// Format: https://www.sqlite.org/fileformat2.html#walformat

export interface MendedLog {
  readonly bytes: Uint8Array
  /** Frames that are again what was written. */
  readonly corrected: number
  /** Frames that are not, with commits behind them. */
  readonly damaged: number
}

const HEADER = 32
const FRAME_HEADER = 24
const MAGIC = 0x377f0682

type Sum = readonly [number, number]

/** Null when there is nothing to mend, or nothing that can be mended. */
export function mendLog(log: Uint8Array): MendedLog | null {
  const out = Buffer.from(log)
  if (out.byteLength < HEADER) return null
  let corrected = mendHeader(out)
  if (corrected === null) return null
  const bigEndian = (out.readUInt32BE(0) & 1) === 1
  const pageSize = out.readUInt32BE(8)
  const frameSize = FRAME_HEADER + pageSize
  const frames = Math.floor((out.byteLength - HEADER) / frameSize)
  const frameAt = (n: number): Buffer => out.subarray(HEADER + n * frameSize, HEADER + (n + 1) * frameSize)
  const sumOf = (frame: Buffer, seed: Sum): Sum => checksum(frame.subarray(FRAME_HEADER), checksum(frame.subarray(0, 8), seed, bigEndian), bigEndian)
  const isWhole = (n: number, seed: Sum): boolean =>
    n < frames && saltBits(frameAt(n), out) === 0 && same(sumOf(frameAt(n), seed), storedSum(frameAt(n)))

  let seed = storedHeaderSum(out)
  let damaged = 0
  /** Damaged frames that no commit has come behind yet. */
  let pending = 0
  let end = 0
  for (let n = 0; n < frames; n++) {
    const frame = frameAt(n)
    const computed = sumOf(frame, seed)
    const stored = storedSum(frame)
    const salts = saltBits(frame, out)
    if (same(computed, stored) && salts === 1) {
      out.copy(frame, 8, 16, 24)
      corrected += 1
    } else if (salts !== 0) {
      // Of an older log, whose place this one takes.
      break
    } else if (!same(computed, stored)) {
      const isSumFlipped = bits(computed[0] ^ stored[0]) + bits(computed[1] ^ stored[1]) === 1 && !isWhole(n + 1, stored)
      if (isSumFlipped) {
        writeSum(frame, computed)
        corrected += 1
      } else if (turnBack(frame, { computed, stored, bigEndian })) {
        corrected += 1
      } else if (isWhole(n + 1, stored)) {
        pending += 1
      } else {
        // The end of the log, torn by a crash: what was not acknowledged may be missing.
        break
      }
    }
    seed = storedSum(frame)
    if (pending === 0) end = n + 1
    else if (frame.readUInt32BE(4) !== 0) {
      damaged += pending
      pending = 0
      end = n + 1
    }
  }
  if (corrected + damaged === 0) return null
  rechain(end)
  return { bytes: out, corrected, damaged }

  /** Frames that are not what was written get the checksum of what they are, and with it all that stand behind them. */
  function rechain(count: number): void {
    let sum = storedHeaderSum(out)
    for (let n = 0; n < count; n++) {
      const frame = frameAt(n)
      sum = sumOf(frame, sum)
      writeSum(frame, sum)
    }
  }
}

/** How many bits were turned back (0 or 1), null when it is no header of a log. */
function mendHeader(out: Buffer): number | null {
  const isWholeHeader = (): boolean => {
    const magic = out.readUInt32BE(0)
    const size = out.readUInt32BE(8)
    const isHeader = (magic === MAGIC || magic === MAGIC + 1) && size >= 512 && size <= 65_536 && bits(size) === 1
    // The sums alone can't tell a flip in the last salt from one in the second sum; the first frame knows the salts.
    const salts = out.byteLength < HEADER + FRAME_HEADER ? 0 : saltBits(out.subarray(HEADER), out)
    return isHeader && salts === 0 && same(checksum(out.subarray(0, 24), [0, 0], (magic & 1) === 1), storedHeaderSum(out))
  }
  if (isWholeHeader()) return 0
  for (let bit = 0; bit < HEADER * 8; bit++) {
    const at = bit >> 3
    const before = out.readUInt8(at)
    out.writeUInt8(before ^ (1 << (bit & 7)), at)
    if (isWholeHeader()) return 1
    out.writeUInt8(before, at)
  }
  return null
}

interface Mismatch {
  readonly computed: Sum
  readonly stored: Sum
  readonly bigEndian: boolean
}

/** Far more pages than any history has: a number above it is no number of a page. */
const MOST_PAGES = 16_777_216

/**
 * Finds the one bit whose turning back explains the difference of the sums, and turns it back. The upper bits of a word leave
 * fewer traces, so there may be several: then it is only known if one of them makes a senseless page number right again.
 */
function turnBack(frame: Buffer, mismatch: Mismatch): boolean {
  const found = [...suspects(frame, mismatch)]
  const isHeaderSenseless = frame.readUInt32BE(0) > MOST_PAGES || frame.readUInt32BE(4) > MOST_PAGES
  const inHeader = found.filter(({ offset }) => offset < 8)
  const [only, another] = isHeaderSenseless ? inHeader : found
  if (only === undefined || another !== undefined) return false
  if (mismatch.bigEndian) frame.writeUInt32BE(only.word, only.offset)
  else frame.writeUInt32LE(only.word, only.offset)
  return true
}

function* suspects(frame: Buffer, { computed, stored, bigEndian }: Mismatch): Generator<{ readonly offset: number; readonly word: number }, void> {
  const [want0, want1] = [(stored[0] - computed[0]) >>> 0, (stored[1] - computed[1]) >>> 0]
  const pairs = (8 + frame.byteLength - FRAME_HEADER) / 8
  // What one more in the first and in the second word of a pair makes of the two sums, from the last pair back.
  let [x0, x1, y0, y1] = [1, 1, 0, 1]
  for (let pair = pairs - 1; pair >= 0; pair--) {
    const at = pair === 0 ? 0 : FRAME_HEADER + (pair - 1) * 8
    for (const [offset, of0, of1] of [
      [at, x0, x1],
      [at + 4, y0, y1]
    ] as const) {
      const word = bigEndian ? frame.readUInt32BE(offset) : frame.readUInt32LE(offset)
      for (let bit = 0; bit < 32; bit++) {
        const step = ((word >>> bit) & 1) === 1 ? -(1 << bit) : 1 << bit
        if (Math.imul(of0, step) >>> 0 === want0 && Math.imul(of1, step) >>> 0 === want1) yield { offset, word: (word ^ (1 << bit)) >>> 0 }
      }
    }
    ;[x0, x1] = [(x0 + x1) >>> 0, (x0 + 2 * x1) >>> 0]
    ;[y0, y1] = [(y0 + y1) >>> 0, (y0 + 2 * y1) >>> 0]
  }
}

function checksum(bytes: Buffer, seed: Sum, bigEndian: boolean): Sum {
  let [a, b] = seed
  for (let at = 0; at < bytes.byteLength; at += 8) {
    a = (a + (bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + b) >>> 0
    b = (b + (bigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + a) >>> 0
  }
  return [a, b]
}

/** How many bits of the frame's salts differ from the log's. */
function saltBits(frame: Buffer, log: Buffer): number {
  return bits(frame.readUInt32BE(8) ^ log.readUInt32BE(16)) + bits(frame.readUInt32BE(12) ^ log.readUInt32BE(20))
}

function storedHeaderSum(log: Buffer): Sum {
  return [log.readUInt32BE(24), log.readUInt32BE(28)]
}

function storedSum(frame: Buffer): Sum {
  return [frame.readUInt32BE(16), frame.readUInt32BE(20)]
}

function writeSum(frame: Buffer, [a, b]: Sum): void {
  frame.writeUInt32BE(a, 16)
  frame.writeUInt32BE(b, 20)
}

function same(a: Sum, b: Sum): boolean {
  return a[0] === b[0] && a[1] === b[1]
}

function bits(value: number): number {
  let rest = value >>> 0
  let count = 0
  for (; rest !== 0; rest &= rest - 1) count += 1
  return count
}
