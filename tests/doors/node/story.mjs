// Every call that Segment's SDK for Node has, of a visitor who becomes a customer.
// Reads HOST, WRITE_KEY and NAME from its environment; what could not be delivered goes to stderr.
import { Analytics } from '@segment/analytics-node'

const { HOST: host, WRITE_KEY: writeKey, NAME: name } = process.env
const analytics = new Analytics({ host, writeKey, maxRetries: 0, flushInterval: 50 })
analytics.on('error', (error) => {
  console.error(error.code, error.reason?.message)
  process.exitCode = 1
})

const visitor = `${name}-visitor`
const userId = `${name}@example.com`

analytics.page({ anonymousId: visitor, name: 'Prices', properties: { path: '/prices' } })
analytics.track({ anonymousId: visitor, event: 'Product Viewed', properties: { sku: 'cd-118' } })
analytics.identify({
  anonymousId: visitor,
  userId,
  traits: {
    name: 'Ana Lima',
    birthday: new Date('1990-05-01T00:00:00Z'),
    address: { city: 'Goa', country: 'IN' },
    visits: 3,
    roles: ['owner', 7],
  },
})
analytics.track({
  userId,
  event: 'Purchase',
  properties: { amount: 18.5 },
  timestamp: new Date('2026-01-02T03:04:05Z'),
  messageId: `${name}-order-1`,
})
analytics.screen({ userId, name: 'Basket', properties: { items: 2 } })
analytics.group({ userId, groupId: 'acme', traits: { employees: 12 } })
analytics.track({ anonymousId: `${name}-phone`, event: 'App Opened' })
analytics.alias({ userId, previousId: `${name}-phone` })

await analytics.closeAndFlush()
