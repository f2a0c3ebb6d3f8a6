import { lstat } from 'node:fs/promises'
import { codeOf, EmbeddedPostgresError } from './errors.ts'

/** The user that a child process runs as; `undefined` keeps our own. */
export type Identity = { readonly uid: number; readonly gid: number } | undefined

/** The unprivileged account that every Linux has. initdb insists on a user with a name, so a made-up number won't do. */
export const nobody = { uid: 65534, gid: 65534 } as const

export const isRoot = (): boolean => process.getuid?.() === 0

/**
 * Who owns the cluster and runs the server. PostgreSQL refuses to run as root, so root hands it to the owner of the
 * cluster, else to the owner of the data directory (a later start as that user must work), else to `nobody`.
 */
export async function chooseIdentity(dataDir: string, clusterDir: string): Promise<Identity> {
  const clusterOwner = await ownerOf(clusterDir)
  if (isRoot()) {
    const candidates = [clusterOwner, await ownerOf(dataDir)]
    return candidates.find((owner) => owner !== undefined && owner.uid !== 0) ?? nobody
  }
  const isForeign = clusterOwner !== undefined && clusterOwner.uid !== process.getuid?.()
  if (isForeign) {
    throw new EmbeddedPostgresError(
      `${clusterDir} belongs to user id ${clusterOwner.uid}: start the server as that user or as root, ` +
        `or hand the files over with chown -R`,
    )
  }
  return undefined
}

async function ownerOf(path: string): Promise<Identity> {
  try {
    const { uid, gid } = await lstat(path)
    return { uid, gid }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new EmbeddedPostgresError(`cannot look at ${path} (${codeOf(error)})`)
  }
}
