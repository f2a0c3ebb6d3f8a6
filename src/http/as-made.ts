/** Answers that go out as our code has made them. */
import { type Settings, takeHeaders } from './answer-headers.ts'

/**
 * Elysia checks an answer against its schema and copies what the schema knows of it: a third of what a sync costs. Of an
 * answer that our own code has made of that very type the compiler has checked it, and the suites hold every answer
 * against the documented schema. So where many rows or many requests come, name the type, and it is not done once more.
 */
export function asMade<Answer extends object>(
  set: Settings,
  answer: Answer | Promise<Answer>,
): Response | Promise<Response> {
  return answer instanceof Promise ? answer.then((made) => toResponse(set, made)) : toResponse(set, answer)
}

const toResponse = (set: Settings, answer: object): Response => Response.json(answer, { headers: takeHeaders(set) })
