import { careless } from './careless.ts'

export interface Careful {
  readonly items: readonly string[]
  save(): Promise<void>
  saveItem(item: string): Promise<void>
}

export async function carefully(careful: Careful): Promise<void> {
  await careful.save()
  careless(careful, 'os')
}
