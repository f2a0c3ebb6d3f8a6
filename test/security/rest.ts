/** Every route with whatever its document allows and forbids: no answer is a 5xx, and each is one that the document names. */
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020'
import fc from 'fast-check'
import { type Json, request, type TestUser } from '../support/client.ts'
import { noneOf, type Outcome, type Scenario } from '../support/scenario.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { FUZZ_EXCLUDED } from './rest-routes.ts'

interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  schema: Json
}

interface Operation {
  name: string
  method: string
  path: string
  parameters: Parameter[]
  body: Json | undefined
  responses: Map<string, ValidateFunction>
}

/** What stands for an id, with those that are there. */
interface Known {
  ids: readonly string[]
  codes: readonly string[]
}

/** With no fields but those that the document names, in any depth: what it does not tell of is nobody's to see. */
function exactly(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(exactly)
  if (typeof schema !== 'object' || schema === null) return schema
  const inside = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, exactly(value)]))
  return schema.type === 'object' && schema.properties ? { additionalProperties: false, ...inside } : inside
}

async function readOperations(server: TestServer): Promise<Operation[]> {
  const spec = (await request(`${server.url}/swagger/json`, 'GET')).body
  const ajv = new Ajv2020({
    strict: false,
    formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, date: /^\d{4}-\d\d-\d\d$/ },
  })
  const operations: Operation[] = []
  for (const [path, methods] of Object.entries(spec.paths as Record<string, Record<string, Json>>)) {
    for (const [method, is] of Object.entries(methods)) {
      const name = `${method.toUpperCase()} ${path}`
      if (FUZZ_EXCLUDED.has(name)) continue
      const responses = new Map<string, ValidateFunction>()
      for (const [status, response] of Object.entries(is.responses as Record<string, Json>)) {
        const schema = response.content?.['application/json']?.schema
        // Of an answer to HEAD there are headers alone (RFC 9110, 9.3.2).
        if (schema) responses.set(status, ajv.compile(method === 'head' ? {} : exactly(schema)))
      }
      const body = is.requestBody?.content?.['application/json']?.schema
      operations.push({ name, method: method.toUpperCase(), path, parameters: is.parameters ?? [], body, responses })
    }
  }
  return operations
}

const junkText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '%00',
    '../../etc/passwd',
    "' or '1'='1",
    '-1',
    '1e999',
    'null',
    'NaN',
    '{}',
    '\ud800',
    '🙂'.repeat(50),
  ),
)
const junk = fc.oneof(
  { weight: 3, arbitrary: junkText },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  fc.constantFrom(0, -1, 1.5, 2 ** 53, 1e308, true, null, [], {}, { __proto__: null }, [[[[]]]]),
)

/** A value that fits the schema, more or less; now and then one that does not. */
function likelyOf(schema: Json, known: Known): fc.Arbitrary<unknown> {
  const fitting = fittingOf(schema ?? {}, known)
  return fc.oneof({ weight: 9, arbitrary: fitting }, { weight: 1, arbitrary: junk })
}

function fittingOf(schema: Json, known: Known): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return fc.oneof(...choices.map((one: Json) => fittingOf(one, known)))
  switch (schema.type) {
    case 'object': {
      const entries = Object.entries((schema.properties ?? {}) as Record<string, Json>)
      const required = new Set<string>(schema.required ?? [])
      const fields = fc.record(Object.fromEntries(entries.map(([name, one]) => [name, likelyOf(one, known)])), {
        requiredKeys: entries.map(([name]) => name).filter((name) => required.has(name)),
      })
      const patterns = Object.values((schema.patternProperties ?? {}) as Record<string, Json>)
      const [pattern] = patterns
      if (!pattern) return fields
      return fc.dictionary(fc.constantFrom(...known.ids), likelyOf(pattern, known), { maxKeys: 4 })
    }
    case 'array':
      return fc.array(likelyOf(schema.items ?? {}, known), { maxLength: 4 })
    case 'integer':
    case 'number':
      return fc.integer({ min: schema.minimum ?? -5, max: Math.min(schema.maximum ?? 1000, 2 ** 31) })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return textOf(schema, known)
  }
}

function textOf(schema: Json, known: Known): fc.Arbitrary<string> {
  const examples = (schema.examples ?? []) as string[]
  if (String(schema.pattern).includes('[0-9a-f]{8}')) return fc.constantFrom(...known.ids, ...examples)
  if (String(schema.pattern).includes('{22}')) return fc.constantFrom(...known.codes, ...examples)
  if (/^\^\(?\?*:?\[[01]/.test(String(schema.pattern))) return fc.integer({ min: 0, max: 120 }).map(String)
  const text = fc.string({ unit: 'grapheme', minLength: Math.min(schema.minLength ?? 0, 20), maxLength: 40 })
  return examples.length > 0 ? fc.oneof(fc.constantFrom(...examples), text) : text
}

interface Case {
  operation: Operation
  parameters: Record<string, unknown>
  body: unknown
}

const caseOf = (operation: Operation, known: Known): fc.Arbitrary<Case> =>
  fc.record({
    operation: fc.constant(operation),
    parameters: fc.record(
      Object.fromEntries(operation.parameters.map(({ name, schema }) => [name, likelyOf(schema, known)])),
      { requiredKeys: operation.parameters.filter(({ required }) => required).map(({ name }) => name) },
    ),
    body: operation.body ? likelyOf(operation.body, known) : fc.constant(undefined),
  })

const toText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
/** What cannot be put into a URL by any client (a lone surrogate) becomes what browsers make of it. */
const inUrl = (value: unknown) => encodeURIComponent(toText(value).toWellFormed())

/** @returns the status, and what is wrong with the answer */
async function send(
  server: TestServer,
  user: TestUser,
  { operation, parameters, body }: Case,
): Promise<{ status: number; fault?: string }> {
  let path = operation.path
  const query: string[] = []
  const headers: Record<string, string> = {}
  for (const { name, in: place } of operation.parameters) {
    const value = parameters[name]
    if (value === undefined) continue
    if (place === 'path') path = path.replace(`{${name}}`, inUrl(value) || '%20')
    else if (place === 'query') query.push(`${name}=${inUrl(value)}`)
    else headers[name] = toText(value).replace(/[^\x20-\x7e]/g, '?')
  }
  const url = `${server.url}${path}${query.length > 0 ? `?${query.join('&')}` : ''}`
  const answer = await request(
    url,
    operation.method,
    user.token,
    body === undefined ? undefined : JSON.stringify(body),
    headers,
  )
  const { status } = answer
  const said = `${operation.name} with ${toText({ parameters, body }).slice(0, 300)}: ${answer.status}`
  if (status >= 500) return { status, fault: `${said} ${toText(answer.body).slice(0, 200)}` }
  const validate = operation.responses.get(String(status))
  // `.` and `..` in a path lead elsewhere before the request leaves the client; what is nowhere is 404 by one shape.
  const isElsewhere = status === 404 && answer.body.error === 'No such endpoint'
  if (isElsewhere) return { status }
  if (!validate) return { status, fault: `${said}, which its document does not name` }
  if (!validate(answer.body)) return { status, fault: `${said} ${JSON.stringify(validate.errors?.[0])}` }
  return { status }
}

async function setTheStage(server: TestServer) {
  const [user, peer, other] = [await server.addUser(), await server.addUser(), await server.addUser()]
  const group = await server.addGroup(user, peer)
  const dm = await server.addDm(user, other)
  const channel = String((await peer.post('/channels', { name: 'Channel' })).body.id)
  const message = await user.post('/messages', { chat_id: group, content: 'hello' })
  const invite = await user.post(`/chats/${group}/invites`, {})
  const ids = [user.id, peer.id, other.id, group, dm, channel, String(message.body.id), Bun.randomUUIDv7()]
  return { user, known: { ids, codes: [String(invite.body.code), 'A'.repeat(22)] } }
}

const AT_ONCE = 10

export const restFuzz: Scenario = {
  name: 'rest-fuzz',
  bar: '0 answers of 5xx, 0 outside of what the document says',
  withinSeconds: 120,
  async run(size): Promise<Outcome> {
    const server = await startServer()
    const operations = await readOperations(server)
    const wanted = size === 'long' ? 50_000 : 3000
    const faults = new Map<string, string>()
    let sent = 0
    let taken = 0
    while (sent < wanted) {
      // What was deleted and left on the way is there again.
      const { user, known } = await setTheStage(server)
      const cases = fc.sample(fc.oneof(...operations.map((operation) => caseOf(operation, known))), {
        numRuns: Math.min(500, wanted - sent),
      })
      for (let n = 0; n < cases.length; n += AT_ONCE) {
        const answers = await Promise.all(cases.slice(n, n + AT_ONCE).map((one) => send(server, user, one)))
        taken += answers.filter(({ status }) => status < 300).length
        for (const { fault } of answers) if (fault) faults.set(fault.slice(0, 60), fault)
      }
      sent += cases.length
    }
    await server.stop()
    const outcome = noneOf([...faults.values()], sent, 'answers wrong')
    // Cases that are all refused at the door would prove nothing.
    const isMixed = taken > sent / 5 && taken < (sent * 4) / 5
    return {
      ...outcome,
      figure: `${outcome.figure}, ${Math.round((100 * taken) / sent)} % of them taken`,
      isHeld: outcome.isHeld && isMixed,
    }
  },
}
