/** A last part longer than this is cut itself, so that the head keeps some room. */
const tailCharsMax = 20;
/** From here on a head that is cut has room for its dots: without them a path would seem to be whole. */
const headCharsMin = 4;
/** As long as this a path has room everywhere. */
const wholeCharsMax = 14;

/**
 * Paths differ at their ends, so a long one is cut in the middle: the head shrinks first, and where even the end has no
 * room it loses its own beginning. A path runs from left to right whatever its letters do, because its slashes do.
 * What holds it is a flex box.
 */
export function CutPath({ text }: { text: string }) {
  const characters = [...text];
  if (characters.length <= wholeCharsMax)
    return (
      <span className="cut" dir="ltr">
        {text}
      </span>
    );
  const cut = Math.max(characters.lastIndexOf('/', characters.length - 2), characters.length - tailCharsMax);
  return (
    <>
      <span className={cut < headCharsMin ? 'cut' : 'cut head'} dir="ltr">
        {characters.slice(0, cut).join('')}
      </span>
      <span className="tail">
        <bdi dir="ltr">{characters.slice(cut).join('')}</bdi>
      </span>
    </>
  );
}
