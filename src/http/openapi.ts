/** The OpenAPI document as the plugin writes it, made what the standard and a reader want. */

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type Node = { [key: string]: Json }

const DESCRIPTIONS: Record<string, string> = {
  '101': 'It became a WebSocket',
  '200': 'Done',
  '201': 'Made',
  '400': 'What was sent is wrong; `details` names each faulty field',
  '401': 'No valid token',
  '403': 'Not allowed',
  '404': 'Not there, or not for the caller to see',
  '409': 'It does not go with what is there',
  '413': 'The body is too large',
  '415': 'The body is of another type',
  '429': 'Too many requests; try again after `details.retry_after` seconds',
  '500': 'A fault of the server; `details.request_id` finds it in the log',
  '503': 'The server cannot do it now; try again',
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
  const { responses, parameters, ...rest } = tidy(operation) as Node
  const isSocket = Array.isArray(rest.tags) && rest.tags.includes('Real time')
  const all: Node = { ...(isSocket && { '101': {} }), ...(isNode(responses) ? responses : {}) }
  const described = Object.entries(all).map(([status, response]): [string, Json] => {
    const given = isNode(response) ? response : {}
    return [status, { ...given, description: given.description || (DESCRIPTIONS[status] ?? status) }]
  })
  return {
    ...rest,
    ...(Array.isArray(parameters) && { parameters: parameters.map(tidyParameter) }),
    responses: Object.fromEntries(described),
  }
}

/** A parameter has one example, or named ones. */
function tidyParameter(parameter: Json): Json {
  if (!isNode(parameter) || !Array.isArray(parameter.examples)) return parameter
  const { examples, ...rest } = parameter
  return { ...rest, example: examples[0] ?? null }
}

function tidy(value: Json): Json {
  if (Array.isArray(value)) return value.map(tidy)
  if (!isNode(value)) return value
  const { error: _error, nullable: _nullable, ...node } = withoutText(value)
  if (node.type === 'RegExp') {
    const { source, flags: _flags, ...rest } = node
    return tidy({ ...rest, type: 'string', pattern: source ?? '' })
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
