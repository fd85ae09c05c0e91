// The build of axios that `require('axios')` finds; its types are those of the package.
declare module 'axios/dist/node/axios.cjs' {
  import axios = require('axios');
  export default axios;
}
