// What comparing a question with very many vectors costs, and what keeping a byte for a float loses. Random vectors: comparing
// takes as long whatever they mean.
import { createMatrix, DIMENSIONS, quantise, VECTOR_BYTES } from '../../src/service/knowledge/meaning/matrix.ts'

export interface MatrixCost {
  readonly passages: number
  readonly vectors: number
  /** Of the processor: what other programs take of the machine is not counted. */
  readonly ms: number
  readonly mb: number
}

/** Of the pack and the labelled documents: parts that a passage is cut into. */
const PARTS_OF_A_PASSAGE = 1.7
const TIMES = 5

function randomUnit(): Float32Array {
  const vector = Float32Array.from({ length: DIMENSIONS }, () => Math.random() - 0.5)
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}

export function measureMatrix(sizes: readonly number[] = [10_000, 100_000]): {
  readonly largestError: number
  readonly sizes: readonly MatrixCost[]
} {
  return { largestError: largestError(), sizes: sizes.map(costOf) }
}

function costOf(passages: number): MatrixCost {
  const matrix = createMatrix()
  const some = Array.from({ length: 64 }, () => quantise(randomUnit()))
  const vectors = Math.round(passages * PARTS_OF_A_PASSAGE)
  for (let row = 0; row < vectors; row += 1) matrix.add(row, some[row % some.length] ?? quantise(randomUnit()))
  const question = randomUnit()
  const took = Array.from({ length: TIMES }, () => {
    const began = process.threadCpuUsage()
    matrix.nearest(question, 60)
    const { user, system } = process.threadCpuUsage(began)
    return (user + system) / 1_000
  })
  const middle = took.toSorted((a, b) => a - b)[Math.floor(TIMES / 2)] ?? 0
  return { passages, vectors, ms: Math.round(middle * 10) / 10, mb: Math.round((vectors * VECTOR_BYTES) / 1_048_576) }
}

/** Of a cosine, over random pairs. */
function largestError(): number {
  let largest = 0
  for (let pair = 0; pair < 200; pair += 1) {
    const [a, b] = [randomUnit(), randomUnit()]
    // Half of them near to each other, as those are that matter.
    if (pair % 2 === 0) for (let index = 0; index < DIMENSIONS; index += 1) b[index] = ((b[index] ?? 0) + 2 * (a[index] ?? 0)) / 3
    const exact = a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
    const matrix = createMatrix()
    matrix.add(1, quantise(b))
    largest = Math.max(largest, Math.abs((matrix.nearest(a, 1)[0]?.similarity ?? 0) - Math.max(0, exact)))
  }
  return Math.round(largest * 1e5) / 1e5
}
