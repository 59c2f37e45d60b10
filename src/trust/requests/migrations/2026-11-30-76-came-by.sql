-- By which way a request came: the public form, the API of another program, or outside of the desk.
ALTER TABLE subject_requests ADD COLUMN came_by text
  CHECK (came_by IN ('form', 'program', 'mail', 'phone', 'letter', 'in-person'));
COMMENT ON COLUMN subject_requests.came_by IS 'D24 by which way it came; null where nobody said';
