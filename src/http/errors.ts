/** Turns whatever is thrown into what the caller is told: one shape, for REST and the WebSocket alike. */
import { ParseError, ValidationError } from 'elysia'
import { isConnectionLoss, isContention } from '../db/client.ts'
import { AppError, malformedJson, unavailable, validationFailed } from '../errors.ts'

/** What a caller is told of `error`; undefined for a fault of ours, which is for the log alone. */
export function toAppError(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error
  // What a parser throws comes wrapped.
  if (error instanceof ParseError) return error.cause instanceof AppError ? error.cause : malformedJson()
  // A response that does not fit its schema is our fault, not the caller's.
  if (error instanceof ValidationError && error.type !== 'response') return validationFailed(describeFaults(error))
  if (isConnectionLoss(error)) return unavailable('The database is away; try again')
  if (isContention(error)) return unavailable('The database is too busy; try again')
  return undefined
}

/** Each faulty field (`member_ids.0`) with what is wrong; `body`, `query` or `params` where the whole is. */
function describeFaults(error: ValidationError): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const fault of error.all) {
    if (!('path' in fault)) continue
    const name = String(fault.path).slice(1).replaceAll('/', '.') || error.type
    const custom = fault.schema?.error
    fields[name] ??= typeof custom === 'string' ? custom : fault.message
  }
  return Object.keys(fields).length > 0 ? fields : { [error.type]: 'is not as it should be' }
}
