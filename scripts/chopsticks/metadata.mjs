// Asks the node of AML_CHOPSTICKS_URL for its metadata of version 15, and writes the answer's digits: node metadata.mjs FILE
import { writeFileSync } from 'node:fs'

const [file] = process.argv.slice(2)
const url = process.env.AML_CHOPSTICKS_URL?.replace(/^ws/, 'http')
if (!file || !url) {
  console.error('usage: AML_CHOPSTICKS_URL=ws://HOST:PORT node metadata.mjs FILE')
  process.exit(2)
}
const body = { jsonrpc: '2.0', id: 1, method: 'state_call', params: ['Metadata_metadata_at_version', '0x0f000000'] }
const reply = await fetch(url, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
const { result, error } = await reply.json()
if (!result || result === '0x00') {
  console.error(error ? error.message : 'it has no metadata of version 15')
  process.exit(1)
}
writeFileSync(file, result)
