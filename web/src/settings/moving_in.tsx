import type { FormEvent } from 'react';
import { useCallback, useState } from 'react';
import { Field, FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError, ForeignId, ForeignProduct, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { Failed } from '../overview/states.tsx';
import { useListed } from './listed.tsx';

interface Product {
  product: ForeignProduct;
  label: string;
  /** Where the id stands in the product. */
  help: string;
  placeholder: string;
  /** Do its servers send a secret? */
  hasSecret: boolean;
}

const products: readonly Product[] = [
  {
    product: 'umami',
    label: 'Umami website id',
    help: 'The data-website-id of its script.',
    placeholder: '7f8c1a2e-4b5d-4c6e-8f90-1a2b3c4d5e6f',
    hasSecret: false,
  },
  {
    product: 'rybbit',
    label: 'Rybbit site id',
    help: 'The data-site-id of its script.',
    placeholder: 'a1b2c3d4e5f6',
    hasSecret: false,
  },
  {
    product: 'openpanel',
    label: 'OpenPanel client id',
    help: 'The clientId that its script begins with.',
    placeholder: '0b5f3c1e-98ab-4cde-8123-456789abcdef',
    hasSecret: true,
  },
];

/** By which ids do trackers of other products find this site? One form for each product, saved by itself. */
export function MovingIn({ site }: { site: Site }) {
  const load = useCallback(() => api.foreignIds(site.domain), [site.domain]);
  const ids = useListed<ForeignId>(load);
  const replace = (product: ForeignProduct, now?: ForeignId) =>
    ids.set((rows) => [...rows.filter((row) => row.product !== product), ...(now === undefined ? [] : [now])]);
  return (
    <div className="settings">
      <section>
        <h2>Moving in</h2>
        <p>
          Trackers of other products can send here as they are: give the id that this site has there, and change the
          host that they send to into <code className="ref">{window.location.host}</code>. Plausible needs no id.
        </p>
        {ids.problem !== undefined && (
          <Failed
            code={ids.problem.code}
            message={ids.problem.message}
            reference={ids.problem.reference}
            onRetry={ids.reload}
            what="The ids could not be read."
          />
        )}
        {ids.rows !== undefined &&
          products.map((one) => (
            <ProductForm
              key={`${site.domain} ${one.product}`}
              site={site}
              about={one}
              known={ids.rows?.find((row) => row.product === one.product)}
              onChange={(now) => replace(one.product, now)}
            />
          ))}
      </section>
    </div>
  );
}

function ProductForm({
  site,
  about,
  known,
  onChange,
}: {
  site: Site;
  about: Product;
  known: ForeignId | undefined;
  onChange: (now: ForeignId | undefined) => void;
}) {
  const { product, label } = about;
  const [id, setId] = useState(known?.id ?? '');
  const [secret, setSecret] = useState('');
  const [refusal, setRefusal] = useState<DeskError>();
  const [said, setSaid] = useState('');
  const isChanged = id.trim() !== (known?.id ?? '') || secret !== '';
  const edit = (change: () => void) => {
    change();
    setRefusal(undefined);
    setSaid('');
  };
  const attempt = async (work: () => Promise<void>) => {
    setRefusal(undefined);
    setSaid('');
    try {
      await work();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  const remove = () =>
    attempt(async () => {
      await api.deleteForeignId(site.domain, product);
      onChange(undefined);
      setId('');
      setSecret('');
      setSaid('Removed. Events with this id are dropped and counted.');
    });
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (!isChanged) return;
    if (id.trim() === '') return remove();
    await attempt(async () => {
      const now = await api.setForeignId(site.domain, product, { id: id.trim(), ...(secret === '' ? {} : { secret }) });
      onChange(now);
      setId(now.id);
      setSecret('');
      setSaid('Saved. It holds from the next event on.');
    });
  };
  return (
    <form className="form" aria-label={label} onSubmit={save} noValidate>
      <div className={about.hasSecret ? 'pair' : undefined}>
        <Field label={label} help={about.help} error={refusal?.field === 'id' ? refusal.message : undefined}>
          {(props) => (
            <input
              {...props}
              className="in"
              value={id}
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              placeholder={about.placeholder}
              onChange={(event) => edit(() => setId(event.target.value))}
            />
          )}
        </Field>
        {about.hasSecret && (
          <Field
            label="Client secret"
            optional
            help={
              known?.has_secret === true
                ? 'There is one. Saving replaces it; without one here it is removed.'
                : 'Only for servers: with it they say address and time.'
            }
            error={refusal?.field === 'secret' ? refusal.message : undefined}
          >
            {(props) => (
              <input
                {...props}
                className="in"
                type="password"
                value={secret}
                autoComplete="off"
                onChange={(event) => edit(() => setSecret(event.target.value))}
              />
            )}
          </Field>
        )}
      </div>
      {refusal !== undefined && refusal.field !== 'id' && refusal.field !== 'secret' && (
        <FormError message={refusal.message} reference={refusal.reference} />
      )}
      <div className="go">
        <button type="submit" className="btn" aria-label={`Save the ${label}`} {...resting(!isChanged)}>
          Save
        </button>
        {known !== undefined && (
          <button type="button" className="btn quiet" aria-label={`Remove the ${label}`} onClick={() => void remove()}>
            Remove
          </button>
        )}
        <span role="status">
          {said !== '' && (
            <span className="st ok">
              <Glyph state="ok" />
              {said}
            </span>
          )}
        </span>
      </div>
    </form>
  );
}
