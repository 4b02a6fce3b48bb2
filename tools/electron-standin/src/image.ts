// `nativeImage`: PNG bytes with their size. Nothing here decodes or scales a picture.
import { readFileSync } from 'node:fs'
import { strictInstances, strictModule } from './strict.ts'

const PNG_SIGNATURE = 0x89_50_4e_47

export class NativeImage {
  readonly #png: Buffer
  #isTemplate = false

  constructor(png: Buffer = Buffer.alloc(0)) {
    this.#png = png
  }

  isEmpty(): boolean {
    return this.#png.length === 0
  }

  getSize(): { width: number; height: number } {
    const png = this.#png
    if (png.length < 24 || png.readUInt32BE(0) !== PNG_SIGNATURE) return { width: 0, height: 0 }
    return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) }
  }

  getAspectRatio(): number {
    const { width, height } = this.getSize()
    return height === 0 ? 1 : width / height
  }

  toPNG(): Buffer {
    return this.#png
  }

  toDataURL(): string {
    return `data:image/png;base64,${this.#png.toString('base64')}`
  }

  // The stand-in has no icons on any screen, so a scaled one is as good as the original.
  resize(): NativeImage {
    return this
  }

  addRepresentation(): void {}

  setTemplateImage(isTemplate: boolean): void {
    this.#isTemplate = isTemplate
  }

  isTemplateImage(): boolean {
    return this.#isTemplate
  }

  getScaleFactors(): number[] {
    return [1]
  }
}
strictInstances(NativeImage, 'NativeImage')

function readImage(path: string): NativeImage {
  try {
    return new NativeImage(readFileSync(path))
  } catch {
    // Electron, too, returns an empty image for a file that it can't read.
    return new NativeImage()
  }
}

export const nativeImage = strictModule('nativeImage', 'NativeImage', {
  createEmpty: () => new NativeImage(),
  createFromBuffer: (bytes: Buffer) => new NativeImage(bytes),
  createFromDataURL: (url: string) => new NativeImage(Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')),
  createFromPath: readImage
})
