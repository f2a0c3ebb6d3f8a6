import { knownNameOf } from '../../state/names.ts'

/** Who wrote what a preview shows, before it; nothing until that is known. */
export function Who({ userId }: { userId: string | null }) {
  const name = knownNameOf(userId)
  return name === undefined ? null : <span class="who">{name}: </span>
}
