import { useSignal } from '@preact/signals'
import { t } from '../../i18n/language.ts'
import { useAsked } from '../../state/asked.ts'
import { client, userNow } from '../../state/client.ts'
import { attempt } from '../../state/failures.ts'
import { isMe, nameOfUser, presenceText } from '../../state/names.ts'
import { openDm } from '../../state/opening.ts'
import type { ChatOverview, Member, PublicProfile, Role } from '../../sync/wire.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Button } from '../../ui/button.tsx'
import { ask, Dialog } from '../../ui/dialog.tsx'
import { Menu, type MenuItem } from '../../ui/menu.tsx'
import { PeopleChoice } from '../people/people-picker.tsx'

/** Who is in a chat, and what the staff can do about it. */
export function Members({ row }: { row: ChatOverview }) {
  const asked = useAsked(() => client.api.listMembers(row.id), `${row.id} ${row.member_count} ${row.owner_id}`)
  const isAdding = useSignal(false)
  const isStaff = row.role !== 'member'
  const page = asked.value
  const more = () =>
    attempt(async () => {
      if (!page) return
      const next = await client.api.listMembers(row.id, page.members.length)
      asked.set({ ...next, members: [...page.members, ...next.members] })
    })
  return (
    <section>
      <div class="row-line members-head">
        <h3 class="section-title">
          {row.type === 'channel' ? t().subscribers(row.member_count) : t().members(row.member_count)}
        </h3>
        {isStaff && (
          <Button isSmall kind="quiet" icon="userPlus" onClick={() => (isAdding.value = true)}>
            {t().addMembers}
          </Button>
        )}
      </div>
      {asked.trouble && <p class="notice danger">{asked.trouble}</p>}
      <ul>
        {page?.members.map((member) => (
          <li key={member.user.id} class="row">
            <MemberLine member={member} />
            <MemberMenu row={row} member={member} onDone={asked.refresh} />
          </li>
        ))}
      </ul>
      {page?.has_more && (
        <Button kind="quiet" isWide onClick={more}>
          {t().loadMore}
        </Button>
      )}
      {isAdding.value && (
        <AddDialog
          chatId={row.id}
          members={page?.members ?? []}
          onClose={() => {
            isAdding.value = false
            asked.refresh()
          }}
        />
      )}
    </section>
  )
}

function MemberLine({ member: { user, role, is_online } }: { member: Member }) {
  const name = isMe(user.id) ? t().you : nameOfUser(user)
  const isOnline = isMe(user.id) || (userNow(user.id)?.isOnline ?? is_online)
  return (
    <>
      <Avatar id={user.id} name={nameOfUser(user)} url={user.avatar_url} size={42} isOnline={isOnline} />
      <span class="row-text">
        <span class="row-line">
          <span class="row-name" dir="auto">
            {name}
          </span>
          {role !== 'member' && <span class="tag">{role === 'owner' ? t().owner : t().admin}</span>}
        </span>
        <span class="row-preview">{presenceText(isOnline, user.last_seen)}</span>
      </span>
    </>
  )
}

interface MemberMenuProps {
  row: ChatOverview
  member: Member
  onDone(): void
}

function MemberMenu({ row, member: { user, role }, onDone }: MemberMenuProps) {
  if (isMe(user.id)) return null
  const name = nameOfUser(user)
  const give = (next: Role) => async () => {
    if (next === 'owner' && !(await ask(t().makeOwnerAsk(name), t().makeOwner))) return
    await attempt(() => client.api.setRole(row.id, user.id, next))
    onDone()
  }
  const remove = async () => {
    if (!(await ask(t().removeMemberAsk(name), t().removeMember))) return
    await attempt(() => client.api.removeMember(row.id, user.id))
    onDone()
  }
  const isOwner = row.role === 'owner'
  const mayRemove = isOwner || (row.role === 'admin' && role === 'member')
  const items: (MenuItem | false)[] = [
    !user.is_deleted && { label: t().writeTo, icon: 'chat', run: () => openDm(user.id) },
    isOwner && role === 'member' && { label: t().makeAdmin, icon: 'star', run: give('admin') },
    isOwner && role === 'admin' && { label: t().makeMember, icon: 'user', run: give('member') },
    isOwner && { label: t().makeOwner, icon: 'lock', run: give('owner') },
    mayRemove && { label: t().removeMember, icon: 'trash', isDangerous: true, run: remove },
  ]
  return <Menu label={`${t().more}: ${name}`} items={() => items.filter((item) => item !== false)} />
}

function AddDialog({ chatId, members, onClose }: { chatId: string; members: Member[]; onClose(): void }) {
  const chosen = useSignal<PublicProfile[]>([])
  const isBusy = useSignal(false)
  const add = async () => {
    isBusy.value = true
    const isDone = await attempt(() =>
      client.api.addMembers(
        chatId,
        chosen.value.map(({ id }) => id),
      ),
    )
    isBusy.value = false
    if (isDone) onClose()
  }
  return (
    <Dialog
      title={t().addMembers}
      onClose={onClose}
      actions={
        <Button kind="primary" isBusy={isBusy.value} disabled={chosen.value.length === 0} onClick={add}>
          {t().addMembers}
        </Button>
      }
    >
      <div class="picker">
        <PeopleChoice chosen={chosen} without={new Set(members.map(({ user }) => user.id))} />
      </div>
    </Dialog>
  )
}
