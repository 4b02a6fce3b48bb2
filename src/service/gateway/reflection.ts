// gRPC server reflection, from the proto file where it is at hand.
import { existsSync } from 'node:fs'
import { loadSync } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import type { Server } from '@grpc/grpc-js'

/** What adds reflection to a server; null without the proto file. */
export function reflectionFrom(protoFile: string): ((server: Server) => void) | null {
  if (!existsSync(protoFile)) return null
  const definition = loadSync(protoFile, { keepCase: true })
  return (server) => new ReflectionService(definition, { services: ['ai.AICopilot'] }).addToServer(server)
}
