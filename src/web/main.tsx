import { render } from 'preact'
import { App } from './app.tsx'
import { watchCalls } from './features/calls/calling.ts'
import { findLanguage, setLanguage } from './i18n/language.ts'
import { watchInstall } from './platform/install.ts'
import { startWorker } from './platform/worker.ts'
import { watchAttention } from './state/attention.ts'
import { startClient } from './state/client.ts'
import { watchSignOut } from './state/leaving.ts'
import { watchRoute } from './state/route.ts'
import { applyTheme } from './state/theme.ts'

async function start(): Promise<void> {
  applyTheme()
  watchRoute()
  watchInstall()
  const language = setLanguage(findLanguage())
  const client = startClient()
  await language
  const root = document.getElementById('app')
  if (root) render(<App />, root)
  await client
  watchAttention()
  watchSignOut()
  watchCalls()
  await startWorker()
}

start()
