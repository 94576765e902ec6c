// What interface-blockstore-tests expects under the name aegir/chai: assertions that are called, and promises.
import chaiAsPromised from 'chai-as-promised'
import { chai } from 'vitest'

chai.use(chaiAsPromised)
chai.use(({ Assertion }) => {
  for (const name of ['ok', 'true', 'false']) {
    Assertion.overwriteProperty(name, (assertProperty: () => void) => {
      return function (this: object) {
        assertProperty.call(this)
        return () => this
      }
    })
  }
})

export const { expect } = chai
