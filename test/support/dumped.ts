/** A database as `messenger backup` reads it. */
import { Readable } from 'node:stream'
import type { Database } from '../../src/db/client.ts'
import { readSnapshot } from '../../src/db/dump.ts'
import type { Dump } from '../../src/db/load.ts'

/** All of a database in memory: only tests may. */
export async function dump(database: Database): Promise<Dump> {
  return await readSnapshot(database, async (snapshot) => {
    const texts = new Map<string, Buffer>()
    const tables = []
    for (const table of snapshot.tables) {
      const chunks: Uint8Array[] = []
      for await (const chunk of await snapshot.read(table)) chunks.push(chunk)
      const text = Buffer.concat(chunks)
      texts.set(table.name, text)
      tables.push({ ...table, rows: text.toString().split('\n').length - 1 })
    }
    return { migrations: snapshot.migrations, tables, read: ({ name }) => Readable.from([texts.get(name)]) }
  })
}
