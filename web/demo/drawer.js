// The status: beside the chat where there is room, a drawer over it on a phone.

const wide = matchMedia('(min-width: 900px)')

/** Opens and closes the drawer. */
export const startDrawer = () => {
  const drawer = document.querySelector('#drawer')
  const place = () => {
    if (drawer.open) drawer.close()
    if (wide.matches) drawer.show()
  }
  document.querySelector('#show-status').addEventListener('click', () => { if (!drawer.open) drawer.showModal() })
  document.querySelector('#hide-status').addEventListener('click', () => drawer.close())
  drawer.addEventListener('click', ({ target }) => { if (target === drawer && !wide.matches) drawer.close() }) // beside it
  wide.addEventListener('change', place)
  place()
  if (wide.matches) document.activeElement?.blur() // show() takes the focus; the person came to chat
}
