import { t } from '../../i18n/language.ts'
import { installOffer } from '../../platform/install.ts'
import { sessionNow } from '../../state/client.ts'
import { attempt } from '../../state/failures.ts'
import { signOut } from '../../state/leaving.ts'
import { nameOfUser } from '../../state/names.ts'
import { go } from '../../state/route.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { ask } from '../../ui/dialog.tsx'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { Page } from '../../ui/page.tsx'

export function SettingsPage() {
  const { me, userId } = sessionNow()
  const name = nameOfUser(me)
  const offer = installOffer.value
  const leave = async () => {
    if (await ask(t().signOutAsk, t().signOut)) attempt(signOut)
  }
  return (
    <Page title={t().settings}>
      <div class="profile-head">
        <Avatar id={userId} name={name} url={me?.avatar_url} size={88} />
        <h2 dir="auto">{name}</h2>
        <p dir="ltr">{me?.phone}</p>
      </div>
      <ul class="rows">
        <Entry icon="user" label={t().profile} to="profile" />
        <Entry icon="palette" label={t().appearance} to="appearance" />
        <Entry icon="bell" label={t().notifications} to="notifications" />
        <Entry icon="lock" label={t().changePassword} to="password" />
        <Entry icon="devices" label={t().sessions} to="sessions" />
        <Entry icon="block" label={t().blocks} to="blocks" />
        <Entry icon="star" label={t().premium} to="premium" />
        {offer && (
          <li>
            <button type="button" class="row setting" onClick={offer}>
              <Icon name="download" size={22} />
              {t().install}
            </button>
          </li>
        )}
        <li>
          <button type="button" class="row setting" onClick={leave}>
            <Icon name="out" size={22} />
            {t().signOut}
          </button>
        </li>
      </ul>
    </Page>
  )
}

function Entry({ icon, label, to }: { icon: IconName; label: string; to: string }) {
  return (
    <li>
      <button type="button" class="row setting" onClick={() => go({ page: ['settings', to] })}>
        <Icon name={icon} size={22} />
        <span class="row-text">{label}</span>
        <Icon name="forward" size={18} />
      </button>
    </li>
  )
}
