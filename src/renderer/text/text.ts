// The words in use. A second language is a second `Catalogue`; the choice is made here.
import { en } from './en.ts'

export type Catalogue = typeof en
export const text: Catalogue = en
