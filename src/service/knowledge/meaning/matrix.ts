// Vectors as they are kept and compared: a byte for each dimension and one scale. What that loses is in bench:retrieval. Pure.

export const DIMENSIONS = 512
/** A scale (float32, little-endian), then the dimensions. */
export const VECTOR_BYTES = 4 + DIMENSIONS

export function quantise(vector: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(VECTOR_BYTES)
  let largest = 1e-9
  for (let index = 0; index < DIMENSIONS; index += 1) largest = Math.max(largest, Math.abs(vector[index] ?? 0))
  const scale = largest / 127
  const view = new DataView(bytes.buffer)
  view.setFloat32(0, scale, true)
  for (let index = 0; index < DIMENSIONS; index += 1) view.setInt8(4 + index, Math.round((vector[index] ?? 0) / scale))
  return bytes
}

/** The mean, one long. */
export function meanOf(vectors: readonly ArrayLike<number>[]): Float32Array {
  const mean = new Float32Array(DIMENSIONS)
  for (const vector of vectors) for (let index = 0; index < DIMENSIONS; index += 1) mean[index] = (mean[index] ?? 0) + (vector[index] ?? 0)
  const length = Math.hypot(...mean)
  return length === 0 ? mean : mean.map((value) => value / length)
}

export interface Near {
  readonly id: number
  readonly similarity: number
}

/** The vectors of one shelf in memory. */
export interface Matrix {
  /** Vectors held. */
  readonly count: number
  /** `packed` is any number of vectors, all of this id. */
  add(id: number, packed: Uint8Array): void
  drop(ids: ReadonlySet<number>): void
  /** Each id once, with the nearest of its vectors; nearest first. `vector` is one long. */
  nearest(vector: Float32Array, most: number): Near[]
}

export function createMatrix(): Matrix {
  let ids = new Float64Array(64)
  let scales = new Float32Array(64)
  let values = new Int8Array(64 * DIMENSIONS)
  let count = 0

  const grow = (): void => {
    const [oldIds, oldScales, oldValues] = [ids, scales, values]
    ids = new Float64Array(count * 2)
    scales = new Float32Array(count * 2)
    values = new Int8Array(count * 2 * DIMENSIONS)
    ids.set(oldIds)
    scales.set(oldScales)
    values.set(oldValues)
  }

  return {
    get count() {
      return count
    },
    add(id, packed) {
      const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
      for (let from = 0; from + VECTOR_BYTES <= packed.byteLength; from += VECTOR_BYTES) {
        if (count === ids.length) grow()
        ids[count] = id
        scales[count] = view.getFloat32(from, true)
        values.set(new Int8Array(packed.buffer, packed.byteOffset + from + 4, DIMENSIONS), count * DIMENSIONS)
        count += 1
      }
    },
    drop(gone) {
      let to = 0
      for (let from = 0; from < count; from += 1) {
        const id = ids[from] ?? 0
        if (gone.has(id)) continue
        if (to !== from) {
          ids[to] = id
          scales[to] = scales[from] ?? 0
          values.copyWithin(to * DIMENSIONS, from * DIMENSIONS, (from + 1) * DIMENSIONS)
        }
        to += 1
      }
      count = to
    },
    nearest(vector, most) {
      const best = new Map<number, number>()
      for (let row = 0; row < count; row += 1) {
        const offset = row * DIMENSIONS
        let sum = 0
        for (let index = 0; index < DIMENSIONS; index += 1) sum += (vector[index] as number) * (values[offset + index] as number)
        const similarity = sum * (scales[row] ?? 0)
        const id = ids[row] ?? 0
        if (similarity > (best.get(id) ?? 0)) best.set(id, similarity)
      }
      return [...best]
        .map(([id, similarity]) => ({ id, similarity }))
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, most)
    }
  }
}
