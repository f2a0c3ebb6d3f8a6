/** The short form of every fault; `npm run test:faults` runs the long one. */
import { describeScenarios } from '../support/describe-scenarios.ts'
import { scenarios } from './scenarios.ts'

describeScenarios('whatever befalls it, the server holds', scenarios)
