/** Steps of brightness among which pixels are ranked. */
const ranks = 4096;

/**
 * Turns sums of light, which differ by a factor of a million, into a picture. Brightness is a mixture of the logarithm and of
 * the rank among all lit pixels, so that neither faint fibres nor the structure of the brightest places is lost; hues
 * are kept, and only the brightest cores turn white. Then light spills over twice, a little around every pixel and more
 * widely.
 *
 * @param light red, green and blue of each pixel
 * @returns red, green and blue of each pixel, from 0 to 255
 */
export function toneMap(light: Float64Array, width: number, height: number): Uint8Array {
  const pixels = width * height;
  let most = 0;
  for (let channel = 0; channel < light.length; channel++) if (light[channel] > most) most = light[channel];
  const image = new Float32Array(3 * pixels);
  if (most === 0) return new Uint8Array(3 * pixels);
  const scale = 1 / Math.log1p(most / 255);
  const level = new Float32Array(pixels);
  const counts = new Float64Array(ranks);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const brightest = Math.max(light[3 * pixel], light[3 * pixel + 1], light[3 * pixel + 2]);
    if (brightest === 0) continue;
    level[pixel] = Math.log1p(brightest / 255) * scale;
    counts[Math.min(ranks - 1, Math.floor(level[pixel] * ranks))]++;
  }
  const share = new Float64Array(ranks);
  for (let rank = 0, sum = 0; rank < ranks; rank++) share[rank] = sum += counts[rank];
  const lit = share[ranks - 1];
  const tones = new Float64Array(ranks);
  for (let rank = 0; rank < ranks; rank++) {
    tones[rank] = 0.7 * ((rank + 0.5) / ranks) ** 1.5 + 0.3 * (share[rank] / lit) ** 3;
  }
  for (let pixel = 0; pixel < pixels; pixel++) {
    if (level[pixel] === 0) continue;
    const tone = tones[Math.min(ranks - 1, Math.floor(level[pixel] * ranks))];
    const [red, green, blue] = [light[3 * pixel], light[3 * pixel + 1], light[3 * pixel + 2]];
    const brightest = Math.max(red, green, blue);
    const white = tone > 0.62 ? 0.85 * ((tone - 0.62) / 0.38) ** 1.6 : 0;
    const strength = Math.min(1.3, 1.15 * tone);
    const hue = (strength * (1 - white)) / brightest;
    image[3 * pixel] = red * hue + strength * white;
    image[3 * pixel + 1] = green * hue + strength * white;
    image[3 * pixel + 2] = blue * hue + strength * white;
  }
  const near = blur(image, width, height, Math.max(1, Math.round(width / 470)));
  const wide = enlargeBlurred(image, width, height);
  const bytes = new Uint8Array(3 * pixels);
  for (let channel = 0; channel < image.length; channel++) {
    const value = image[channel] + 0.25 * near[channel] + 0.35 * wide[channel];
    // An exposure that never saturates quite, as film does.
    bytes[channel] = Math.round(255 * (1 - Math.exp(-1.35 * value)));
  }
  return bytes;
}

/** Two box blurs in each direction, which come close to a bell. */
function blur(image: Float32Array, width: number, height: number, radius: number): Float32Array {
  let from = image;
  for (let pass = 0; pass < 2; pass++) {
    const across = new Float32Array(image.length);
    for (let row = 0; row < height; row++) slide(from, across, 3 * row * width, 3, width, radius, 1);
    const down = new Float32Array(image.length);
    slide(across, down, 0, 3 * width, height, radius, width);
    from = down;
  }
  return from;
}

/**
 * Means of a window that slides along `length` places, `stride` numbers apart. Neighbours that slide together, `lanes`
 * pixels, are taken together: going down a picture column by column would miss the cache at every step.
 */
function slide(
  from: Float32Array,
  to: Float32Array,
  offset: number,
  stride: number,
  length: number,
  radius: number,
  lanes: number,
): void {
  const channels = 3 * lanes;
  const sums = new Float64Array(channels);
  const share = 1 / (2 * radius + 1);
  for (let place = -radius; place < length; place++) {
    const enter = place + radius;
    const leave = place - radius - 1;
    for (let channel = 0; channel < channels; channel++) {
      let sum = sums[channel];
      if (enter < length) sum += from[offset + enter * stride + channel];
      if (leave >= 0) sum -= from[offset + leave * stride + channel];
      sums[channel] = sum;
      if (place >= 0) to[offset + place * stride + channel] = sum * share;
    }
  }
}

/** A wide blur, on a picture of a quarter of the width and height: nothing finer is left of it anyway. */
function enlargeBlurred(image: Float32Array, width: number, height: number): Float32Array {
  const smallWidth = Math.ceil(width / 4);
  const smallHeight = Math.ceil(height / 4);
  const small = new Float32Array(3 * smallWidth * smallHeight);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = 3 * ((y >> 2) * smallWidth + (x >> 2));
      const from = 3 * (y * width + x);
      for (let channel = 0; channel < 3; channel++) small[to + channel] += image[from + channel] / 16;
    }
  }
  const soft = blur(small, smallWidth, smallHeight, Math.max(1, Math.round(width / 310)));
  const large = new Float32Array(image.length);
  for (let y = 0; y < height; y++) {
    const down = Math.max(0, Math.min(smallHeight - 1.001, (y - 1.5) / 4));
    const top = Math.floor(down);
    const low = down - top;
    for (let x = 0; x < width; x++) {
      const across = Math.max(0, Math.min(smallWidth - 1.001, (x - 1.5) / 4));
      const left = Math.floor(across);
      const right = across - left;
      const at = 3 * (top * smallWidth + left);
      const below = at + (top + 1 < smallHeight ? 3 * smallWidth : 0);
      const beside = left + 1 < smallWidth ? 3 : 0;
      for (let channel = 0; channel < 3; channel++) {
        const upper = soft[at + channel] * (1 - right) + soft[at + beside + channel] * right;
        const lower = soft[below + channel] * (1 - right) + soft[below + beside + channel] * right;
        large[3 * (y * width + x) + channel] = upper * (1 - low) + lower * low;
      }
    }
  }
  return large;
}
