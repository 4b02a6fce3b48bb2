// Answers under way, counted in this process's memory.
import type { Answering } from './answering.ts'

export function createMemoryAnswering(): Answering {
  const underWay = new Map<string, number>()
  return {
    async begin(userId, limit) {
      const count = underWay.get(userId) ?? 0
      if (count >= limit) return null
      underWay.set(userId, count + 1)
      let isOver = false
      return () => {
        if (isOver) return
        isOver = true
        const left = (underWay.get(userId) ?? 1) - 1
        if (left === 0) underWay.delete(userId)
        else underWay.set(userId, left)
      }
    }
  }
}
