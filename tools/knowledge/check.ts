// Checks the knowledge pack, the price books and the labelled questions: one line per problem, exit 1 on any.
// Run from anywhere: node tools/knowledge/check.ts
import { join } from 'node:path'
import { checkPack } from './pack.ts'

const root = join(import.meta.dirname, '..', '..')
const problems = checkPack(
  {
    knowledge: join(root, 'resources', 'knowledge'),
    pricing: join(root, 'resources', 'pricing'),
    questions: join(root, 'test', 'fixtures', 'knowledge-questions.json')
  },
  new Date().toISOString().slice(0, 10)
)
for (const problem of problems) console.log(problem)
console.log(problems.length === 0 ? 'knowledge pack: good' : `knowledge pack: ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
