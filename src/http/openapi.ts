/** The OpenAPI document as the plugin writes it, made what the standard and a reader want. */
import * as errors from '../errors.ts'
import { INSTANT_PATTERN } from './text.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type Node = { [key: string]: Json }

const DESCRIPTIONS: Record<string, string> = {
  '101': 'It became a WebSocket',
  '200': 'Done',
  '201': 'Made',
  '204': 'Done',
  '206': 'A part of it',
  '400': 'What was sent is wrong; `details` names each faulty field',
  '401': 'No valid token',
  '402': 'It was not paid; `details.reason` says why',
  '403': 'Not allowed',
  '404': 'Not there, or not for the caller to see',
  '408': 'The body came too slowly',
  '409': 'It does not go with what is there',
  '412': 'Another version of the tus protocol',
  '413': 'The body is too large',
  '415': 'The body is of another type',
  '416': 'No such part; `details.size` is the size of the whole',
  '429': 'Too many requests; try again after `details.retry_after` seconds',
  '500': 'A fault of the server; `details.request_id` finds it in the log',
  '503': 'The server cannot do it now; try again',
  '507': 'There is no room',
}

/** One failure of each status, as it is answered. */
const EXAMPLES: Record<string, errors.AppError> = {
  '400': errors.validationFailed({ name: 'must be 1 to 255 characters of text, without U+0000 and lone surrogates' }),
  '401': errors.notSignedIn(),
  '402': errors.paymentFailed('The card was declined'),
  '403': errors.notAllowed('manage this chat'),
  '404': errors.chatNotFound(),
  '408': errors.bodyTooSlow(),
  '409': errors.alreadyTaken({ username: 'is already taken' }),
  '412': errors.unknownTusVersion('1.0.0'),
  '413': errors.bodyTooLarge(65_536),
  '415': errors.unsupportedMediaType('application/json'),
  '416': errors.rangeNotSatisfiable(15_420),
  '429': errors.tooManyRequests(12),
  '500': errors.internalError('0190f6a2-7c1e-7000-8000-000000000001'),
  '503': errors.unavailable('The database is too busy; try again'),
  '507': errors.noRoom(),
}

const isNode = (value: Json | undefined): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @param document as JSON; left as it is */
export function tidyOpenApi(document: unknown): unknown {
  const { paths, ...rest } = structuredClone(document) as Node
  const entries = Object.entries(isNode(paths) ? paths : {}).map(([path, methods]): [string, Json] => [
    // `/chats/` and `/chats` are one route; clients write the latter.
    path.length > 1 ? path.replace(/\/$/, '') : path,
    Object.fromEntries(
      Object.entries(isNode(methods) ? methods : {}).map(([method, operation]) => [method, tidyOperation(operation)]),
    ),
  ])
  return { ...rest, paths: Object.fromEntries(entries) }
}

function tidyOperation(operation: Json): Json {
  const { responses, parameters, requestBody, ...rest } = tidy(operation) as Node
  const isSocket = Array.isArray(rest.tags) && rest.tags.includes('Real time')
  const all: Node = { ...(isSocket && { '101': {} }), ...(isNode(responses) ? responses : {}) }
  const described = Object.entries(all).map(([status, response]): [string, Json] => {
    const given = isNode(response) ? ofItsType(response) : {}
    const description = given.description || (DESCRIPTIONS[status] ?? status)
    return [status, { ...withFailure(given, EXAMPLES[status]), description }]
  })
  return {
    ...rest,
    ...(Array.isArray(parameters) && { parameters: parameters.map(tidyParameter) }),
    ...(isNode(requestBody) && { requestBody: { ...requestBody, required: !mayBeNull(requestBody) } }),
    responses: Object.fromEntries(described),
  }
}

/** What is no text is of any type: the plugin knows JSON alone. */
function ofItsType({ format, content, ...rest }: Node): Node {
  const json = isNode(content) ? content['application/json'] : undefined
  if (format === 'binary' && json !== undefined) return { ...rest, content: { '*/*': json } }
  return { ...rest, ...(format !== undefined && { format }), ...(content !== undefined && { content }) }
}

/** With the example, where the response has the shape of a failure. */
function withFailure(response: Node, example: errors.AppError | undefined): Node {
  const content = isNode(response.content) ? response.content : {}
  const json = content['application/json']
  const schema = isNode(json) ? json.schema : undefined
  const isFailure = isNode(schema) && isNode(schema.properties) && 'error' in schema.properties
  if (!example || !isNode(json) || !isFailure) return response
  return { ...response, content: { 'application/json': { ...json, example: example.toJSON() as Node } } }
}

/** A body that may be null may be missing. */
function mayBeNull({ content }: Node): boolean {
  const json = isNode(content) ? content['application/json'] : undefined
  const schema = isNode(json) ? json.schema : undefined
  const kinds = isNode(schema) && Array.isArray(schema.anyOf) ? schema.anyOf : []
  return kinds.some((kind) => isNode(kind) && kind.type === 'null')
}

/**
 * A parameter has one example, which the page fills in for whoever tries it out. One that may be left out has it in its
 * schema instead, where it only shows: nobody wants every filter set.
 */
function tidyParameter(parameter: Json): Json {
  if (!isNode(parameter) || !Array.isArray(parameter.examples)) return parameter
  const { examples, ...rest } = parameter
  if (rest.required) return { ...rest, example: examples[0] ?? null }
  return { ...rest, schema: { ...(isNode(rest.schema) ? rest.schema : {}), examples } }
}

function tidy(value: Json): Json {
  if (Array.isArray(value)) return value.map(tidy)
  if (!isNode(value)) return value
  const { error: _error, nullable: _nullable, ...node } = withoutText(value)
  if (node.type === 'RegExp') {
    const { source, flags: _flags, ...rest } = node
    return tidy({ ...rest, type: 'string', pattern: source ?? '' })
  }
  if (node.type === 'number' && node.multipleOf === 1) {
    const { multipleOf: _step, ...rest } = node
    return tidy({ ...rest, type: 'integer' })
  }
  if (node.pattern === INSTANT_PATTERN) {
    const { pattern: _pattern, ...rest } = node
    return tidy({ ...rest, format: 'date-time' })
  }
  // The first of several is what Elysia puts in for lack of another: nobody chose it.
  if (Array.isArray(node.enum) && node.default === node.enum[0]) delete node.default
  return Object.fromEntries(
    Object.entries(node).map(([key, inner]) => [
      key,
      key === 'content' && isNode(inner) && isNode(inner['application/json'])
        ? { 'application/json': tidy(inner['application/json']) }
        : key === 'properties' && isNode(inner)
          ? Object.fromEntries(Object.entries(inner).map(([name, schema]) => [name, tidy(schema)]))
          : tidy(inner),
    ]),
  )
}

/** A number that may come as text, since it stands in a URL, is a number for the reader. */
function withoutText(node: Node): Node {
  const [text, number] = Array.isArray(node.anyOf) && node.anyOf.length === 2 ? node.anyOf : []
  const isCoerced = isNode(text) && text.type === 'string' && text.format === 'integer' && isNode(number)
  if (!isCoerced) return node
  const { anyOf: _, ...rest } = node
  return { ...rest, ...number }
}
