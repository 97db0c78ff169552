/** Every app of Next has a layout. */
export default function Layout({ children }) {
    return children
}
