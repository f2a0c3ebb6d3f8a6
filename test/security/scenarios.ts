/** All that is done to the server by those who mean it harm. */
import type { Scenario } from '../support/scenario.ts'
import { accessMatrix } from './access.ts'
import { injection, secretsInLog } from './answers.ts'
import { massAssignment } from './assignment.ts'
import { dependencies, knownHoles } from './dependencies.ts'
import { filmCorpus, imageCorpus, pathCorpus } from './files.ts'
import { headers } from './headers.ts'
import { closedAccounts, hashDos, loginBrute, loginEnumeration } from './logins.ts'
import { existenceOracle } from './oracle.ts'
import { restFuzz } from './rest.ts'
import { revokeSocket, wsFuzz, wsPreauth } from './sockets.ts'
import { jwtAbuse, refreshReuse } from './tokens.ts'

export const scenarios: readonly Scenario[] = [
  accessMatrix,
  jwtAbuse,
  refreshReuse,
  loginBrute,
  loginEnumeration,
  hashDos,
  closedAccounts,
  wsFuzz,
  wsPreauth,
  revokeSocket,
  restFuzz,
  existenceOracle,
  massAssignment,
  pathCorpus,
  imageCorpus,
  filmCorpus,
  headers,
  injection,
  secretsInLog,
  dependencies,
  knownHoles,
]
