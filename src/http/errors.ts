/** Turns whatever is thrown into what the caller is told: one shape, for REST and the WebSocket alike. */
import { ParseError, ValidationError } from 'elysia'
import { isConnectionLoss, isContention, isExhausted } from '../db/client.ts'
import { AppError, malformedJson, noRoom, unavailable, validationFailed } from '../errors.ts'
import { StorageFull, StorageUnavailable } from '../storage/storage.ts'

/** What a caller is told of `error`; undefined for a fault of ours, which is for the log alone. */
export function toAppError(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error
  // What a parser throws comes wrapped.
  if (error instanceof ParseError) return error.cause instanceof AppError ? error.cause : malformedJson()
  // A response that does not fit its schema is our fault, not the caller's.
  if (error instanceof ValidationError && error.type !== 'response') {
    return validationFailed(describeFaults(listFaults(error), error.type))
  }
  if (error instanceof StorageFull) return noRoom()
  if (error instanceof StorageUnavailable) return unavailable('The storage of files is away; try again')
  if (isConnectionLoss(error)) return unavailable('The database is away; try again')
  if (isContention(error)) return unavailable('The database is too busy; try again')
  if (isExhausted(error)) return unavailable('The database has no room left; try again later', 30)
  return undefined
}

/** Looking for what is wrong may throw where checking did not: a t.RegExp with a length asks for that of null. */
function listFaults(error: ValidationError): Fault[] {
  try {
    return [...(error.all as Iterable<Fault>)]
  } catch {
    return []
  }
}

/** As a schema's validator tells it. */
export interface Fault {
  /** `/member_ids/0` */
  path: string
  message: string
  schema: { error?: unknown }
  /** Of a union: what is wrong with each of its branches. */
  errors?: Iterable<Fault>[]
}

/** Each faulty field (`member_ids.0`) with what is wrong; `whole` is the name of what they are fields of. */
export function describeFaults(faults: Iterable<Fault>, whole: string): Record<string, string> {
  const all = [...faults].flatMap(explain)
  const explained = all.filter(({ schema }) => typeof schema?.error === 'string')
  const fields = new Map<string, string>()
  for (const { path, message, schema } of explained.length > 0 ? explained : all) {
    const name = path?.slice(1).replaceAll('/', '.') || whole
    if (!fields.has(name)) fields.set(name, typeof schema?.error === 'string' ? schema.error : message)
  }
  if (fields.size === 0) fields.set(whole, 'is not as it should be')
  return Object.fromEntries(fields)
}

/** A union says only that none of its branches fits: what these say helps more. */
function explain(fault: Fault): Fault[] {
  const branches = fault.errors ?? []
  if (typeof fault.schema?.error === 'string' || branches.length === 0) return [fault]
  return branches.flatMap((branch) => [...branch].flatMap(explain))
}
