import { t } from '../../i18n/language.ts'
import { useAsked } from '../../state/asked.ts'
import { client } from '../../state/client.ts'
import { attempt } from '../../state/failures.ts'
import { addressOf } from '../../state/route.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { copy } from '../conversation/message-menu.tsx'

const linkOf = (code: string) => `${location.origin}/${addressOf({ page: ['join', code], isInfoOpen: false })}`

/** The links by which others join; for the staff. */
export function Invites({ chatId }: { chatId: string }) {
  const asked = useAsked(() => client.api.listInvites(chatId), chatId)
  const make = async () => {
    await attempt(() => client.api.createInvite(chatId))
    await asked.refresh()
  }
  const revoke = async (code: string) => {
    await attempt(() => client.api.revokeInvite(chatId, code))
    await asked.refresh()
  }
  const invites = asked.value?.invites ?? []
  return (
    <section class="page">
      <div class="stack">
        <h3 class="field-label">{t().inviteLink}</h3>
        <p class="field-hint">{t().inviteHint}</p>
        {invites.map(({ code, uses }) => (
          <div key={code} class="stack">
            <div class="link-box">
              <code>{linkOf(code)}</code>
              <IconButton icon="copy" label={t().copy} onClick={() => copy(linkOf(code))} />
              <IconButton icon="trash" label={t().inviteRevoke} onClick={() => revoke(code)} />
            </div>
            <span class="field-hint">{t().inviteUses(uses)}</span>
          </div>
        ))}
        {asked.value && (
          <Button isSmall icon="link" onClick={make}>
            {t().inviteMake}
          </Button>
        )}
        {asked.trouble && <p class="field-error">{asked.trouble}</p>}
      </div>
    </section>
  )
}
