/** TypeBox pieces for text from outside. */
import { t } from 'elysia'

// Neither U+0000 (PostgreSQL cannot store it) nor a lone surrogate (not Unicode text). Lengths count code points, which
// are one or two UTF-16 units. No flags: TypeBox knows a string's pattern without, and its t.RegExp takes for text whatever
// reads like some.
const CLEAN = '(?:[\\u0001-\\uD7FF\\uE000-\\uFFFF]|[\\uD800-\\uDBFF][\\uDC00-\\uDFFF])'

/** Text of `min` to `max` code points without U+0000 and lone surrogates. */
export const cleanText = (min: number, max: number, options: { description?: string; examples?: string[] } = {}) =>
  t.String({
    pattern: `^${CLEAN}{${min},${max}}$`,
    minLength: min,
    maxLength: 2 * max,
    error: `must be ${min} to ${max} characters of text, without U+0000 and lone surrogates`,
    ...options,
  })

/** Ids are compared as text here and there, so they have one spelling: the one this server gives (RFC 9562, 4). */
export const UUID_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'

export const Uuid = t.String({
  // No `format: 'uuid'` beside it: checking both costs each message twice.
  pattern: UUID_PATTERN,
  error: 'must be a UUID in lower case',
  examples: ['0190f6a2-7c1e-7000-8000-000000000001'],
})

/** A number in a query, decimal digits that fit `pattern`: all that is wrong is said at once, which t.Integer does not. */
const queryNumber = (pattern: string, error: string, example: string) =>
  t
    .Transform(t.String({ pattern, error, examples: [example] }))
    .Decode(Number)
    .Encode(String)
/** A whole number in a body. Not t.Integer, which takes the text of a number too, and names no field where that is too much. */
export const wholeNumber = (
  minimum: number,
  maximum: number,
  options: { error: string; description?: string; examples?: number[] },
) => t.Number({ ...options, minimum, maximum, multipleOf: 1 })

/**
 * A whole number in an answer. Not t.Integer: for its sake Elysia would walk each answer for what is to be turned into text,
 * which costs more than all else that is done to it.
 */
export const Whole = (options: { description?: string; examples?: number[] } = {}) =>
  t.Number({ ...options, multipleOf: 1 })

/** The length of a page, 1 to 100. */
export const PageLimit = queryNumber('^(?:[1-9][0-9]?|100)$', 'must be 1 to 100', '50')
/** A whole number from 0 of at most 16 digits. */
export const QueryCount = queryNumber('^[0-9]{1,16}$', 'must be a whole number', '0')

/** An instant in ISO 8601, UTC. */
export const Instant = t.String({ format: 'date-time', examples: ['2026-01-15T10:00:00.000Z'] })

/** The body of every error. */
export const Failure = t.Object({
  error: t.String({ examples: ['Validation failed'] }),
  details: t.Record(t.String(), t.Unknown(), {
    description: 'Field by field for 400 and 409; `retry_after` seconds for 429 and 503',
  }),
})
