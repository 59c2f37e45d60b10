export {
  activities,
  type Facts,
  linesUnder,
  measures,
  nobody,
  type Receiving,
  storage,
  storedClasses,
} from './facts.ts';
export { asMarkdown, type Block, linesOf, type Paper } from './paper.ts';
export { drawMap } from './picture.ts';
export { writePaper } from './write.ts';
