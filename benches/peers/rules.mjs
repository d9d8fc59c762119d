// json-rules-engine on the dense policy: a rule for each kind and clock. Reads rows of JSON from standard
// input, as `holdback-peers rows` prints them, and prints one line of JSON. The host settles the deposit.
// usage: node rules.mjs [runs]   (finds the package through NODE_PATH)
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const require = createRequire(import.meta.url)
const { Engine } = require('json-rules-engine')
const version = '7.3.1'
const runs = Number(process.argv[2] ?? 3)
const KINDS = ['failure', 'emergency', 'usability', 'performance', 'question', 'training', 'personalised', 'other']
const RESPONSE_LIMIT = [10, 30, 60, 120, 240, 480, 60, 30].map(m => m * 60e6)
const RESOLUTION_LIMIT = [2, 4, 8, 24, 72, 168, 24, 8].map(h => h * 3600e6)
const RESPONSE_PENALTY = [50000, 20000, 10000, 5000, 0, 0, 10000, 5000]
const RESOLUTION_PENALTY = [100000, 50000, 20000, 10000, 2000, 0, 20000, 10000]
const AS_OF = 1735689600e6

const rows = readFileSync(0, 'utf8').trim().split('\n').map(line => JSON.parse(line))
const engine = new Engine([], { allowUndefinedFacts: true })
KINDS.forEach((kind, k) => {
  for (const [clock, took, limit, penalty] of [
    ['response', 'response_took', RESPONSE_LIMIT[k], RESPONSE_PENALTY[k]],
    ['resolution', 'resolution_took', RESOLUTION_LIMIT[k], RESOLUTION_PENALTY[k]],
  ]) {
    engine.addRule({
      conditions: { all: [
        { fact: 'kind', operator: 'equal', value: kind },
        { fact: took, operator: 'greaterThan', value: limit },
      ] },
      event: { type: clock, params: { penalty, limit } },
    })
  }
})
engine.addRule({
  conditions: { all: [{ fact: 'reported', operator: 'lessThanInclusive', value: { fact: 'warranty_end' } }] },
  event: { type: 'free' },
})

async function once (out) {
  for (const [i, t] of rows.entries()) {
    const k = KINDS.indexOf(t.kind)
    const responded = t.responded ?? AS_OF
    const resolved = t.resolved ?? AS_OF
    const o = {
      dueResponse: t.reported + RESPONSE_LIMIT[k], dueResolution: t.reported + RESOLUTION_LIMIT[k],
      lateResponse: 0, lateResolution: 0, response: 0, resolution: 0, breachResponse: false, breachResolution: false, free: false,
    }
    const { events } = await engine.run({
      kind: t.kind, reported: t.reported, response_took: responded - t.reported, resolution_took: resolved - t.reported,
      warranty_end: t.warranty_end,
    })
    for (const { type, params } of events) {
      if (type === 'free') o.free = true
      else if (type === 'response') {
        o.breachResponse = true
        o.response = params.penalty
        o.lateResponse = responded - o.dueResponse
      } else {
        o.breachResolution = true
        o.resolution = params.penalty
        o.lateResolution = resolved - o.dueResolution
      }
    }
    out[i] = o
  }
}

function settle (out) {
  const items = []
  out.forEach((o, row) => {
    o.deducted = 0
    if (o.response > 0) items.push({ due: o.dueResponse, row, clock: 0, amount: o.response })
    if (o.resolution > 0) items.push({ due: o.dueResolution, row, clock: 1, amount: o.resolution })
  })
  items.sort((a, b) => a.due - b.due || a.row - b.row || a.clock - b.clock)
  const left = new Map()
  for (const { row, amount } of items) {
    const contract = rows[row].contract
    const balance = left.get(contract) ?? 10000000
    const taken = Math.min(amount, balance - 100000)
    left.set(contract, balance - taken)
    out[row].deducted += taken
  }
}

const out = new Array(rows.length)
const times = []
if (runs > 1) await once(out)
for (let run = 0; run < runs; run++) {
  const start = process.hrtime.bigint()
  await once(out)
  const evaluated = process.hrtime.bigint()
  settle(out)
  times.push([Number(evaluated - start), Number(process.hrtime.bigint() - start)])
}
const median = column => times.map(t => t[column]).sort((a, b) => a - b)[runs >> 1] / rows.length
const exact = f => (out.reduce((s, o) => s + BigInt(f(o)), 0n) % (2n ** 63n)).toString()
const totals = {
  responses_late: exact(o => o.breachResponse ? 1 : 0), resolutions_late: exact(o => o.breachResolution ? 1 : 0),
  free: exact(o => o.free ? 1 : 0), penalty: exact(o => o.response + o.resolution), deducted: exact(o => o.deducted),
  dues: exact(o => BigInt(o.dueResponse) + BigInt(o.dueResolution)), lates: exact(o => o.lateResponse + o.lateResolution),
}
const numbers = Object.entries(totals).map(([k, v]) => `"${k}":${v}`).join(',')
console.log(`{"engine":"json-rules-engine","version":"${version}","n":${rows.length},"threads":1,"runs":${runs},"evaluate":${median(0)},"total":${median(1)},"totals":{${numbers}}}`)
