/** Answers of hundreds of rows. */
import { type Settings, takeHeaders } from './answer-headers.ts'

/**
 * Elysia checks an answer against its schema and copies what the schema knows, which is a fifth of what a sync costs. Of
 * an answer that our own code has made of that very type the compiler has checked it, and the suites hold each answer
 * against the documented schema: so name the type, and it goes out as it is.
 */
export const longAnswer = <Answer extends object>(set: Settings, answer: Answer): Response =>
  Response.json(answer, { headers: takeHeaders(set) })
