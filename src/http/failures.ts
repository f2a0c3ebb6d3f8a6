/** The error responses of a route, for its schema and Swagger UI. */
import { Failure } from './text.ts'

/** What any route may answer, and 415 where a body may be too large: there it may be of another type too. */
type Everywhere<Status> = Status | 500 | 503 | (413 extends Status ? 415 : never)

/** `statuses` and those of every route, each with the one error shape. */
export function failures<const Status extends number>(
  ...statuses: Status[]
): Record<Everywhere<Status>, typeof Failure> {
  const hasBody = statuses.some((status) => status === 413)
  const entries = [...statuses, ...(hasBody ? [415] : []), 500, 503].map((status) => [status, Failure])
  return Object.fromEntries(entries) as Record<Everywhere<Status>, typeof Failure>
}
