/** The error responses of a route, for its schema and Swagger UI. */
import { Failure } from './text.ts'

/** `statuses`, and 503 for when the server sheds load, each with the one error shape. */
export function failures<const Status extends number>(...statuses: Status[]): Record<Status | 503, typeof Failure> {
  const entries = [...statuses, 503].map((status) => [status, Failure])
  return Object.fromEntries(entries) as Record<Status | 503, typeof Failure>
}
