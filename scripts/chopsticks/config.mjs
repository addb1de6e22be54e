// Writes a Chopsticks configuration: node config.mjs <chain specification> > chopsticks.yml
// The port is a free one of the loopback interface; blocks are built as soon as there is a transaction.
import { createServer } from 'node:net'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const [specification] = process.argv.slice(2)
if (!specification || !existsSync(specification)) {
  console.error('usage: node config.mjs <raw chain specification>')
  process.exit(2)
}

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address()
  server.close(() => {
    console.log(`genesis: ${JSON.stringify(resolve(specification))}`)
    console.log('host: 127.0.0.1')
    console.log(`port: ${port}`)
    console.log('build-block-mode: Instant')
  })
})
