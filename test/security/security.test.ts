/** The short form of every scenario of security; `npm run test:security` runs the long one. */
import { describeScenarios } from '../support/describe-scenarios.ts'
import { scenarios } from './scenarios.ts'

describeScenarios('under attack the server holds', scenarios)
