/** What opens an account: for the auth feature alone. */
import type { Db, Tx } from '../../db/client.ts'
import { userNotFound } from '../../errors.ts'
import * as store from './credentials-store.ts'

export type { Credentials } from './credentials-store.ts'

export function createCredentials({ db }: { db: Db }) {
  return {
    /** By exact phone, or by e-mail in any case; living accounts only. */
    find: (phoneOrEmail: string) => store.findCredentials(db, phoneOrEmail),
    findById: (userId: string) => store.findCredentialsById(db, userId),
    /** As they are now; nobody else changes them until the transaction ends. */
    lock: (tx: Tx, userId: string) => store.lockCredentials(tx, userId),
    /** Only while the hash is still `previousHash`. @returns false when it was not */
    replace: (tx: Tx, change: { userId: string; previousHash: string; passwordHash: string }) =>
      store.replacePasswordHash(tx, change),
    /** For the operator. @throws userNotFound */
    async reset(tx: Tx, userId: string, passwordHash: string): Promise<void> {
      if (!(await store.updatePasswordHash(tx, userId, passwordHash))) throw userNotFound()
    },
    /** For the operator: a disabled account cannot sign in. @throws userNotFound */
    async setDisabled(tx: Tx, userId: string, isDisabled: boolean): Promise<void> {
      if (!(await store.updateDisabled(tx, userId, isDisabled))) throw userNotFound()
    },
  }
}
